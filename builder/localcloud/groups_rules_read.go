package localcloud

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// readRules reads IpPermissions, or the older form with one rule as parameters
// of its own.
func (c *Cloud) readRules(r *request, egress bool) []rule {
	var rules []rule
	for _, item := range r.each("IpPermissions") {
		kind := readTraffic(item, egress)
		rules = append(rules, c.readPeers(item, kind)...)
	}
	older := r.has("CidrIp") || r.has("SourceSecurityGroupName") || r.has("IpProtocol")
	if !older {
		return rules
	}
	kind := readTraffic(r, egress)
	owner := r.text("SourceSecurityGroupOwnerId")
	if name := r.text("SourceSecurityGroupName"); name != "" {
		kind.Group = c.peerGroup(r, "", name, owner)
	} else {
		kind.IPv4 = readRange(r, "CidrIp", false)
	}
	return append(rules, kind)
}

// readPeers is one rule for each range and group of a permission.
func (c *Cloud) readPeers(r *request, kind rule) []rule {
	var rules []rule
	add := func(item *request, set func(*rule)) {
		one := kind
		one.Description = readRuleText(item)
		set(&one)
		rules = append(rules, one)
	}
	for _, item := range r.each("IpRanges") {
		add(item, func(one *rule) { one.IPv4 = readRange(item, "CidrIp", false) })
	}
	for _, item := range r.each("Ipv6Ranges") {
		add(item, func(one *rule) { one.IPv6 = readRange(item, "CidrIpv6", true) })
	}
	for _, item := range r.each("PrefixListIds") {
		r.problem(faultf("InvalidPrefixListId.NotFound", "The prefix list ID '%s' does not exist", item.text("PrefixListId")))
		item.text("Description")
	}
	for _, name := range []string{"Groups", "UserIdGroupPairs"} {
		for _, item := range r.each(name) {
			add(item, func(one *rule) {
				item.text("VpcId")
				one.Group = c.peerGroup(item, item.text("GroupId"), item.text("GroupName"), item.text("UserId"))
			})
		}
	}
	if len(rules) == 0 {
		r.problem(faultf("InvalidParameterValue", "The permission %s names no range and no group", strings.TrimSuffix(r.prefix, ".")))
	}
	return rules
}

// peerGroup is the id of the group that a rule names.
func (c *Cloud) peerGroup(r *request, id, name, owner string) string {
	if owner != "" && owner != accountID {
		r.problem(faultf("InvalidGroup.NotFound", "The account '%s' has no group in this VPC", owner))
		return ""
	}
	var ids, names []string
	if id != "" {
		ids = []string{id}
	} else {
		names = []string{name}
	}
	groups, err := c.findGroups(r.region, ids, names)
	if err != nil {
		r.problem(err)
		return ""
	}
	return groups[0].ID
}

func readRuleText(r *request) string {
	text := r.text("Description")
	if len(text) > maxGroupText {
		r.problem(badValue("Description", text, "A description has at most 255 characters."))
	}
	return text
}

func readRange(r *request, name string, six bool) string {
	text := r.need(name)
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Addr().Is6() != six {
		if text != "" {
			r.problem(faultf("InvalidParameterValue", "CIDR block %s is malformed", text))
		}
		return text
	}
	if prefix.Masked() != prefix {
		r.problem(faultf("InvalidParameterValue", "CIDR block %s has bits set beyond its length; %s is meant", text, prefix.Masked()))
	}
	return prefix.String()
}

// readTraffic reads the protocol and the ports.
func readTraffic(r *request, egress bool) rule {
	one := rule{Egress: egress, Protocol: protocolOf(r), From: -1, To: -1}
	from, to := r.number("FromPort"), r.number("ToPort")
	if from != nil {
		one.From = *from
	}
	if to != nil {
		one.To = *to
	}
	switch one.Protocol {
	case "tcp", "udp":
		if from == nil || to == nil {
			r.problem(faultf("MissingParameter", "The request must contain the parameters FromPort and ToPort for the protocol %s", one.Protocol))
		} else if one.From < 0 || one.To > 65535 || one.From > one.To {
			r.problem(faultf("InvalidParameterValue", "Invalid port range %d to %d, expecting 0 to 65535, the lower first", one.From, one.To))
		}
	case "icmp", "icmpv6":
		if one.From < -1 || one.From > 255 || one.To < -1 || one.To > 255 {
			r.problem(faultf("InvalidParameterValue", "Invalid ICMP type %d or code %d", one.From, one.To))
		}
	default:
		one.From, one.To = -1, -1
	}
	return one
}

func protocolOf(r *request) string {
	names := map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
	text := strings.ToLower(r.need("IpProtocol"))
	text = cmp.Or(names[text], text)
	if slices.Contains([]string{"tcp", "udp", "icmp", "icmpv6", "-1", ""}, text) {
		return text
	}
	if n, err := strconv.Atoi(text); err != nil || n < 0 || n > 255 {
		r.problem(faultf("InvalidPermission.Malformed", "Unsupported IP protocol \"%s\" - supported: [tcp, udp, icmp, icmpv6, -1, 0 to 255]", text))
	}
	return text
}
