package localcloud

import (
	"cmp"
	"slices"
)

type groupItem struct {
	OwnerID     string           `xml:"ownerId"`
	ID          string           `xml:"groupId"`
	ARN         string           `xml:"securityGroupArn"`
	Name        string           `xml:"groupName"`
	Description string           `xml:"groupDescription"`
	VpcID       string           `xml:"vpcId"`
	Ingress     []permissionRule `xml:"ipPermissions>item"`
	Egress      []permissionRule `xml:"ipPermissionsEgress>item"`
	Tags        tagSet           `xml:"tagSet"`
}

// permissionRule is all the rules of a group for one kind of traffic.
type permissionRule struct {
	Protocol string      `xml:"ipProtocol"`
	From     *int        `xml:"fromPort"`
	To       *int        `xml:"toPort"`
	Groups   []peerItem  `xml:"groups>item"`
	Ranges   []rangeItem `xml:"ipRanges>item"`
	Ranges6  []rangeItem `xml:"ipv6Ranges>item"`
}

type peerItem struct {
	UserID      string `xml:"userId"`
	GroupID     string `xml:"groupId"`
	Description string `xml:"description,omitempty"`
}

type rangeItem struct {
	CIDR        string `xml:"cidrIp,omitempty"`
	CIDR6       string `xml:"cidrIpv6,omitempty"`
	Description string `xml:"description,omitempty"`
}

// permissions is the group's rules of one direction, those for the same
// traffic together, as AWS shows them.
func (g *group) permissions(egress bool) []permissionRule {
	type traffic struct {
		protocol string
		from, to int
	}
	var order []traffic
	found := map[traffic]*permissionRule{}
	for _, entry := range g.Rules {
		if entry.Egress != egress {
			continue
		}
		kind := traffic{entry.Protocol, entry.From, entry.To}
		if found[kind] == nil {
			order = append(order, kind)
			found[kind] = &permissionRule{Protocol: entry.Protocol}
			found[kind].From, found[kind].To = entry.ports()
		}
		found[kind].addPeer(entry)
	}
	var all []permissionRule
	for _, kind := range order {
		all = append(all, *found[kind])
	}
	return all
}

// ports is nil for a protocol that has none.
func (entry *rule) ports() (from, to *int) {
	if !slices.Contains([]string{"tcp", "udp", "icmp", "icmpv6"}, entry.Protocol) {
		return nil, nil
	}
	return &entry.From, &entry.To
}

func (p *permissionRule) addPeer(entry *rule) {
	switch {
	case entry.Group != "":
		p.Groups = append(p.Groups, peerItem{UserID: accountID, GroupID: entry.Group, Description: entry.Description})
	case entry.IPv6 != "":
		p.Ranges6 = append(p.Ranges6, rangeItem{CIDR6: entry.IPv6, Description: entry.Description})
	default:
		p.Ranges = append(p.Ranges, rangeItem{CIDR: entry.IPv4, Description: entry.Description})
	}
}

func describeSecurityGroups(c *Cloud, r *request) (any, error) {
	ids, names := r.list("GroupId"), r.list("GroupName")
	all := c.groupsIn(r.region)
	if len(ids)+len(names) > 0 {
		var err error
		if all, err = c.findGroups(r.region, ids, names); err != nil {
			return nil, err
		}
	}
	page, next, err := describe(r, all, func(g *group) map[string]string { return g.Tags }, groupAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Groups    []groupItem `xml:"securityGroupInfo>item"`
		NextToken string      `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, g := range page {
		answer.Groups = append(answer.Groups, groupItem{
			OwnerID:     accountID,
			ID:          g.ID,
			ARN:         g.arn(),
			Name:        g.Name,
			Description: g.Description,
			VpcID:       g.VpcID,
			Ingress:     g.permissions(false),
			Egress:      g.permissions(true),
			Tags:        tagsOf(g.Tags),
		})
	}
	return answer, nil
}

func groupAttributes() attributes[*group] {
	known := attributes[*group]{
		"description": func(g *group) []string { return one(g.Description) },
		"group-id":    func(g *group) []string { return one(g.ID) },
		"group-name":  func(g *group) []string { return one(g.Name) },
		"owner-id":    fixed[*group](accountID),
		"vpc-id":      func(g *group) []string { return one(g.VpcID) },
	}
	for name, value := range ruleAttributes() {
		known["ip-permission."+name] = func(g *group) []string { return g.eachRule(false, value) }
		known["egress.ip-permission."+name] = func(g *group) []string { return g.eachRule(true, value) }
	}
	return known
}

func (g *group) eachRule(egress bool, value func(*rule) []string) []string {
	var all []string
	for _, entry := range g.Rules {
		if entry.Egress == egress {
			all = append(all, value(entry)...)
		}
	}
	return all
}

func ruleAttributes() attributes[*rule] {
	return attributes[*rule]{
		"cidr":           func(entry *rule) []string { return one(entry.IPv4) },
		"from-port":      func(entry *rule) []string { return digits(entry.From) },
		"group-id":       func(entry *rule) []string { return one(entry.Group) },
		"ipv6-cidr":      func(entry *rule) []string { return one(entry.IPv6) },
		"prefix-list-id": func(*rule) []string { return nil },
		"protocol":       func(entry *rule) []string { return one(entry.Protocol) },
		"to-port":        func(entry *rule) []string { return digits(entry.To) },
		"user-id": func(entry *rule) []string {
			if entry.Group == "" {
				return nil
			}
			return []string{accountID}
		},
	}
}

type referencedGroup struct {
	GroupID string `xml:"groupId"`
	UserID  string `xml:"userId"`
}

type ruleItem struct {
	ID          string           `xml:"securityGroupRuleId"`
	ARN         string           `xml:"securityGroupRuleArn"`
	GroupID     string           `xml:"groupId"`
	OwnerID     string           `xml:"groupOwnerId"`
	Egress      bool             `xml:"isEgress"`
	Protocol    string           `xml:"ipProtocol"`
	From        int              `xml:"fromPort"`
	To          int              `xml:"toPort"`
	IPv4        string           `xml:"cidrIpv4,omitempty"`
	IPv6        string           `xml:"cidrIpv6,omitempty"`
	Group       *referencedGroup `xml:"referencedGroupInfo"`
	Description string           `xml:"description,omitempty"`
	Tags        tagSet           `xml:"tagSet"`
}

func (g *group) ruleItem(entry *rule) ruleItem {
	item := ruleItem{
		ID:          entry.ID,
		ARN:         arn("ec2", g.Region, "security-group-rule/"+entry.ID),
		GroupID:     g.ID,
		OwnerID:     accountID,
		Egress:      entry.Egress,
		Protocol:    entry.Protocol,
		From:        entry.From,
		To:          entry.To,
		IPv4:        entry.IPv4,
		IPv6:        entry.IPv6,
		Description: entry.Description,
		Tags:        tagsOf(entry.Tags),
	}
	if entry.Group != "" {
		item.Group = &referencedGroup{GroupID: entry.Group, UserID: accountID}
	}
	return item
}

type revokedItem struct {
	ID       string `xml:"securityGroupRuleId"`
	GroupID  string `xml:"groupId"`
	Egress   bool   `xml:"isEgress"`
	Protocol string `xml:"ipProtocol"`
	From     int    `xml:"fromPort"`
	To       int    `xml:"toPort"`
	IPv4     string `xml:"cidrIpv4,omitempty"`
	IPv6     string `xml:"cidrIpv6,omitempty"`
	Group    string `xml:"referencedGroupId,omitempty"`
}

func (g *group) revokedItem(entry *rule) revokedItem {
	return revokedItem{
		ID:       entry.ID,
		GroupID:  g.ID,
		Egress:   entry.Egress,
		Protocol: entry.Protocol,
		From:     entry.From,
		To:       entry.To,
		IPv4:     entry.IPv4,
		IPv6:     entry.IPv6,
		Group:    entry.Group,
	}
}

// ownedRule is a rule and the group it is of.
type ownedRule struct {
	*rule
	group *group
}

func describeSecurityGroupRules(c *Cloud, r *request) (any, error) {
	var all []ownedRule
	for _, g := range c.groupsIn(r.region) {
		for _, entry := range g.Rules {
			all = append(all, ownedRule{entry, g})
		}
	}
	if ids := r.list("SecurityGroupRuleId"); len(ids) > 0 {
		for _, id := range ids {
			if !slices.ContainsFunc(all, func(entry ownedRule) bool { return entry.ID == id }) {
				return nil, faultf("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
			}
		}
		all = slices.DeleteFunc(all, func(entry ownedRule) bool { return !slices.Contains(ids, entry.ID) })
	}
	slices.SortStableFunc(all, func(a, b ownedRule) int { return cmp.Compare(a.group.ID, b.group.ID) })
	page, next, err := describe(r, all, func(entry ownedRule) map[string]string { return entry.Tags }, attributes[ownedRule]{
		"group-id":               func(entry ownedRule) []string { return one(entry.group.ID) },
		"security-group-rule-id": func(entry ownedRule) []string { return one(entry.ID) },
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Rules     []ruleItem `xml:"securityGroupRuleSet>item"`
		NextToken string     `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, entry := range page {
		answer.Rules = append(answer.Rules, entry.group.ruleItem(entry.rule))
	}
	return answer, nil
}
