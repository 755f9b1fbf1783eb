package localcloud

import (
	"cmp"
	"slices"
	"strings"
)

// group is a security group. Its rules are kept and shown; the machines of the
// local cloud are on a private bridge, and nothing is filtered there.
type group struct {
	ID          string
	Region      string
	VpcID       string
	Name        string
	Description string
	Rules       []*rule
	Tags        map[string]string
}

const (
	maxGroupText    = 255
	groupCharacters = " ._-:/()#,@[]+=&;{}!$*"
	defaultGroup    = "default"
)

func groupActions() map[string]handler {
	return map[string]handler{
		"AuthorizeSecurityGroupEgress":  authorize(true),
		"AuthorizeSecurityGroupIngress": authorize(false),
		"CreateSecurityGroup":           createSecurityGroup,
		"DeleteSecurityGroup":           deleteSecurityGroup,
		"DescribeSecurityGroupRules":    describeSecurityGroupRules,
		"DescribeSecurityGroups":        describeSecurityGroups,
		"RevokeSecurityGroupEgress":     revoke(true),
		"RevokeSecurityGroupIngress":    revoke(false),
	}
}

// addDefaultGroup gives a new VPC the group that every one has: all from its
// own members in, all out.
func (c *Cloud) addDefaultGroup(v *vpc) {
	g := &group{
		ID:          newID("sg-"),
		Region:      v.Region,
		VpcID:       v.ID,
		Name:        defaultGroup,
		Description: "default VPC security group",
		Tags:        map[string]string{},
	}
	inside := rule{Protocol: "-1", From: -1, To: -1, Group: g.ID}
	g.add([]rule{inside, everywhere()})
	c.state.Groups[g.ID] = g
}

// defaultGroupOf is the default security group of a VPC.
func (c *Cloud) defaultGroupOf(id string) *group {
	for _, g := range c.state.Groups {
		if g.VpcID == id && g.Name == defaultGroup {
			return g
		}
	}
	c.addDefaultGroup(c.state.Vpcs[id])
	return c.defaultGroupOf(id)
}

func (c *Cloud) findGroup(region, id string) (*group, error) {
	if !wellFormed("sg-", id) {
		return nil, malformed("InvalidGroupId.Malformed", "sg-", id)
	}
	g := c.state.Groups[id]
	if g == nil || g.Region != region {
		return nil, faultf("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return g, nil
}

// findGroupNamed is the group of that name in the default VPC: elsewhere a group
// is named by its id.
func (c *Cloud) findGroupNamed(region, name string) (*group, error) {
	home := c.networkOf(region)
	for _, g := range c.groupsIn(region) {
		if g.Name == name && g.VpcID == home.ID {
			return g, nil
		}
	}
	return nil, c.noGroup(region, name)
}

func (c *Cloud) noGroup(region, name string) *fault {
	return faultf("InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC '%s'", name, c.networkOf(region).ID)
}

// findGroups is the groups with those ids and those names, each once.
func (c *Cloud) findGroups(region string, ids, names []string) ([]*group, error) {
	var all []*group
	for _, id := range ids {
		g, err := c.findGroup(region, id)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	for _, name := range names {
		g, err := c.findGroupNamed(region, name)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	var each []*group
	for _, g := range all {
		if !slices.Contains(each, g) {
			each = append(each, g)
		}
	}
	return each, nil
}

func (c *Cloud) groupsIn(region string) []*group {
	c.networkOf(region) // the default group exists from the first question on
	all := inRegion(c.state.Groups, region, func(g *group) string { return g.Region })
	slices.SortFunc(all, func(a, b *group) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

func createSecurityGroup(c *Cloud, r *request) (any, error) {
	g := &group{ID: newID("sg-"), Region: r.region, VpcID: c.networkOf(r.region).ID}
	g.Name, g.Description = readGroupText(r, "GroupName"), readGroupText(r, "GroupDescription")
	g.Tags = r.tags("security-group")
	if strings.HasPrefix(g.Name, "sg-") {
		r.problem(badValue("groupName", g.Name, "A name cannot begin with 'sg-'."))
	}
	if vpc := r.text("VpcId"); vpc != "" {
		if _, err := c.findVpc(r.region, vpc); err != nil {
			r.problem(err)
		}
		g.VpcID = vpc
	}
	if err := r.checked(); err != nil {
		return nil, err
	}
	for _, other := range c.groupsIn(r.region) {
		if other.VpcID == g.VpcID && other.Name == g.Name {
			return nil, faultf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.Name, g.VpcID)
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	g.add([]rule{everywhere()})
	c.state.Groups[g.ID] = g
	return struct {
		Return bool   `xml:"return"`
		ID     string `xml:"groupId"`
		ARN    string `xml:"securityGroupArn"`
		Tags   tagSet `xml:"tagSet"`
	}{true, g.ID, g.arn(), tagsOf(g.Tags)}, nil
}

func (g *group) arn() string { return arn("ec2", g.Region, "security-group/"+g.ID) }

func readGroupText(r *request, name string) string {
	text := r.need(name)
	strange := strings.ContainsFunc(text, func(ch rune) bool {
		return (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') && !strings.ContainsRune(groupCharacters, ch)
	})
	if strange || len(text) > maxGroupText {
		r.problem(badValue(name, text, "Character sets beyond letters, digits and "+groupCharacters+" are not supported; the length is at most 255."))
	}
	return text
}

func deleteSecurityGroup(c *Cloud, r *request) (any, error) {
	g, err := c.groupAsked(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if g.Name == defaultGroup {
		return nil, faultf("CannotDelete", "the specified group: %q name: %q cannot be deleted by a user", g.ID, g.Name)
	}
	if user := c.userOf(g); user != "" {
		return nil, faultf("DependencyViolation", "resource %s has a dependent object: %s", g.ID, user)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	delete(c.state.Groups, g.ID)
	return struct {
		Return bool   `xml:"return"`
		ID     string `xml:"groupId"`
	}{true, g.ID}, nil
}

// groupAsked is the group of a request's GroupId or GroupName.
func (c *Cloud) groupAsked(r *request) (*group, error) {
	id, name := r.text("GroupId"), r.text("GroupName")
	switch {
	case id != "":
		return c.findGroup(r.region, id)
	case name != "":
		return c.findGroupNamed(r.region, name)
	}
	return nil, missing("GroupName or GroupId")
}

// userOf is what keeps a group from being deleted: an instance that is in it, or
// a rule of another group that lets it in.
func (c *Cloud) userOf(g *group) string {
	for _, id := range sortedKeys(c.state.Instances) {
		inst := c.state.Instances[id]
		if inst.State != terminated && slices.Contains(inst.Groups, g.ID) {
			return "instance " + id
		}
	}
	for _, other := range c.groupsIn(g.Region) {
		if other != g && slices.ContainsFunc(other.Rules, func(one *rule) bool { return one.Group == g.ID }) {
			return "security group " + other.ID
		}
	}
	return ""
}
