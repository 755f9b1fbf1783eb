package localcloud

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// rule lets one kind of traffic from, or to, one range or group.
type rule struct {
	ID          string
	Egress      bool              `json:",omitempty"`
	Protocol    string            // tcp, udp, icmp, icmpv6, a number, or -1 for all
	From, To    int               // ports, or ICMP type and code; -1 for all
	IPv4, IPv6  string            `json:",omitempty"` // one of IPv4, IPv6, PrefixList and Group is set
	PrefixList  string            `json:",omitempty"`
	Group       string            `json:",omitempty"` // id
	Description string            `json:",omitempty"`
	Tags        map[string]string `json:",omitempty"`
}

const maxRules = 60 // in one direction of a group, as a new account has it

// everywhere is the rule that a new group has: all traffic out.
func everywhere() rule {
	return rule{Egress: true, Protocol: "-1", From: -1, To: -1, IPv4: "0.0.0.0/0"}
}

// same says whether two rules let the same traffic through.
func (one rule) same(other rule) bool {
	one.ID, other.ID = "", ""
	one.Description, other.Description = "", ""
	one.Tags, other.Tags = nil, nil
	return one.comparable() == other.comparable()
}

func (one rule) comparable() [7]string {
	return [7]string{
		strconv.FormatBool(one.Egress), one.Protocol, strconv.Itoa(one.From) + "-" + strconv.Itoa(one.To),
		one.IPv4, one.IPv6, one.PrefixList, one.Group,
	}
}

func (g *group) add(rules []rule) []*rule {
	var added []*rule
	for _, one := range rules {
		one.ID = newID("sgr-")
		added = append(added, &one)
	}
	g.Rules = append(g.Rules, added...)
	return added
}

func authorize(egress bool) handler {
	return func(c *Cloud, r *request) (any, error) {
		g, err := c.groupAsked(r)
		rules := c.readRules(r, egress)
		tags := r.tags("security-group-rule")
		if err := firstOf(r.checked(), err, c.strangers(g, rules), g.refused(rules), r.dryRun()); err != nil {
			return nil, err
		}
		for i := range rules {
			rules[i].Tags = withDefaults(tags, nil)
		}
		var answer struct {
			Return bool       `xml:"return"`
			Rules  []ruleItem `xml:"securityGroupRuleSet>item"`
		}
		answer.Return = true
		for _, one := range g.add(rules) {
			answer.Rules = append(answer.Rules, g.ruleItem(one))
		}
		return answer, nil
	}
}

// strangers is the fault for rules that name groups of another VPC.
func (c *Cloud) strangers(g *group, rules []rule) error {
	for _, one := range rules {
		if peer := c.state.Groups[one.Group]; g != nil && peer != nil && peer.VpcID != g.VpcID {
			return faultf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
	}
	return nil
}

// refused is why rules cannot be added to the group.
func (g *group) refused(rules []rule) error {
	if g == nil {
		return nil
	}
	if len(rules) == 0 {
		return missing("ipPermissions")
	}
	count := map[bool]int{}
	for _, one := range g.Rules {
		count[one.Egress]++
	}
	for i, one := range rules {
		twice := slices.ContainsFunc(rules[:i], one.same)
		if twice {
			return faultf("InvalidParameterValue", "The same permission must not appear multiple times")
		}
		if slices.ContainsFunc(g.Rules, func(has *rule) bool { return one.same(*has) }) {
			return faultf("InvalidPermission.Duplicate", "the specified rule %q already exists", one.words())
		}
		if count[one.Egress]++; count[one.Egress] > maxRules {
			return faultf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
		}
	}
	return nil
}

// words is a rule as AWS writes it in a message.
func (one rule) words() string {
	ports := ""
	switch {
	case one.Protocol == "-1":
		return "peer: " + one.peer() + ", ALL, ALLOW"
	case one.Protocol == "icmp" || one.Protocol == "icmpv6":
		ports = "type: " + strconv.Itoa(one.From) + ", code: " + strconv.Itoa(one.To)
	default:
		ports = "from port: " + strconv.Itoa(one.From) + ", to port: " + strconv.Itoa(one.To)
	}
	return "peer: " + one.peer() + ", " + strings.ToUpper(one.Protocol) + ", " + ports + ", ALLOW"
}

func (one rule) peer() string { return cmp.Or(one.IPv4, one.IPv6, one.PrefixList, one.Group) }

// revoke takes rules away by their ids, or by what they let through. As in a
// default VPC of AWS, one that is not there is refused, and nothing is revoked.
func revoke(egress bool) handler {
	return func(c *Cloud, r *request) (any, error) {
		g, err := c.groupAsked(r)
		ids, rules := r.list("SecurityGroupRuleId"), c.readRules(r, egress)
		if err := firstOf(r.checked(), err); err != nil {
			return nil, err
		}
		if len(ids)+len(rules) == 0 {
			return nil, missing("ipPermissions")
		}
		doomed, err := g.doomed(egress, ids, rules)
		if err := firstOf(err, r.dryRun()); err != nil {
			return nil, err
		}
		var answer struct {
			Return  bool          `xml:"return"`
			Revoked []revokedItem `xml:"revokedSecurityGroupRuleSet>item"`
		}
		answer.Return = true
		for _, one := range doomed {
			answer.Revoked = append(answer.Revoked, g.revokedItem(one))
		}
		g.Rules = slices.DeleteFunc(g.Rules, func(one *rule) bool { return slices.Contains(doomed, one) })
		return answer, nil
	}
}

func (g *group) doomed(egress bool, ids []string, rules []rule) ([]*rule, error) {
	var doomed []*rule
	for _, id := range ids {
		at := slices.IndexFunc(g.Rules, func(one *rule) bool { return one.ID == id && one.Egress == egress })
		if at < 0 {
			return nil, faultf("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		doomed = append(doomed, g.Rules[at])
	}
	for _, wanted := range rules {
		at := slices.IndexFunc(g.Rules, func(one *rule) bool { return wanted.same(*one) })
		if at < 0 {
			return nil, faultf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		doomed = append(doomed, g.Rules[at])
	}
	return doomed, nil
}
