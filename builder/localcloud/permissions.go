package localcloud

import (
	"slices"
	"strings"
)

// The members of a launch permission, as the Query protocol names them.
const (
	permitUser = "UserId"
	permitOrg  = "OrganizationArn"
	permitUnit = "OrganizationalUnitArn"
)

// permissions is one side of a change: who gets in, or who is put out.
type permissions struct {
	public bool // Group=all
	who    map[string][]string
}

// permissionChange is a ModifyImageAttribute or ModifySnapshotAttribute of who
// may use the resource.
type permissionChange struct{ add, remove permissions }

// readPermissions reads both ways to write a change: NAME.Add.1.UserId, and the
// older OperationType with UserId.1 and UserGroup.1.
func readPermissions(r *request, name string) permissionChange {
	p := permissionChange{add: readSide(r, r.at(name).each("Add")), remove: readSide(r, r.at(name).each("Remove"))}
	older := permissions{who: map[string][]string{}}
	for _, kind := range []string{permitUser, permitOrg, permitUnit} {
		for _, who := range r.list(kind) {
			older.who[kind] = append(older.who[kind], checkAccount(r, kind, who))
		}
	}
	for _, group := range r.list("UserGroup") {
		older.public = readGroup(r, group)
	}
	switch r.oneOf("OperationType", "", "add", "remove") {
	case "add":
		p.add.join(older)
	case "remove":
		p.remove.join(older)
	default:
		if older.public || len(slices.Concat(older.who[permitUser], older.who[permitOrg], older.who[permitUnit])) > 0 {
			r.problem(missing("OperationType"))
		}
	}
	return p
}

func readSide(r *request, items []*request) permissions {
	side := permissions{who: map[string][]string{}}
	for _, item := range items {
		if group := item.text("Group"); group != "" {
			side.public = readGroup(r, group)
		}
		for _, kind := range []string{permitUser, permitOrg, permitUnit} {
			if who := item.text(kind); who != "" {
				side.who[kind] = append(side.who[kind], checkAccount(r, kind, who))
			}
		}
	}
	return side
}

func readGroup(r *request, group string) bool {
	if group != "all" {
		r.problem(badValue("userGroup", group, "The only group is 'all'."))
	}
	return true
}

// checkAccount finds fault with who, and hands it on without the dashes that
// account ids are sometimes written with.
func checkAccount(r *request, kind, who string) string {
	if kind != permitUser {
		if !strings.HasPrefix(who, "arn:") {
			r.problem(badValue(kind, who, "Expecting an ARN."))
		}
		return who
	}
	id := strings.ReplaceAll(who, "-", "")
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		r.problem(faultf("InvalidAMIAttributeItemValue", "Invalid attribute item value %q for userId item type.", who))
	}
	return id
}

func (p *permissions) join(other permissions) {
	p.public = p.public || other.public
	for kind, who := range other.who {
		p.who[kind] = append(p.who[kind], who...)
	}
}

// empty says whether the change would change nothing.
func (p permissionChange) empty() bool {
	for _, side := range []permissions{p.add, p.remove} {
		if side.public {
			return false
		}
		for _, who := range side.who {
			if len(who) > 0 {
				return false
			}
		}
	}
	return true
}

// apply makes the change to a resource's public flag and lists.
func (p permissionChange) apply(public *bool, lists map[string]*[]string) {
	*public = (*public || p.add.public) && !p.remove.public
	for kind, list := range lists {
		for _, who := range p.add.who[kind] {
			if !slices.Contains(*list, who) {
				*list = append(*list, who)
			}
		}
		*list = slices.DeleteFunc(*list, func(who string) bool { return slices.Contains(p.remove.who[kind], who) })
	}
}

type permissionItem struct {
	Group  string `xml:"group,omitempty"`
	UserID string `xml:"userId,omitempty"`
	Org    string `xml:"organizationArn,omitempty"`
	Unit   string `xml:"organizationalUnitArn,omitempty"`
}

type permissionSet struct {
	Items []permissionItem `xml:"item"`
}

type productCodeSet struct {
	Items []productCode `xml:"item"`
}

func permissionsOf(public bool, users []string) *permissionSet {
	set := &permissionSet{}
	if public {
		set.Items = append(set.Items, permissionItem{Group: "all"})
	}
	for _, user := range users {
		set.Items = append(set.Items, permissionItem{UserID: user})
	}
	return set
}
