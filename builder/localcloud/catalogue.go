package localcloud

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Catalogue is what templates find in an account besides what was made in it:
// images that others publish, and the networks, security groups, key pairs and
// parameters that somebody set up. The local cloud answers for all of it, so that
// a template that names an id, or looks for something by a filter, finds it here.
type Catalogue struct {
	Images         []CatalogueImage
	Vpcs           []CatalogueVpc
	Subnets        []CatalogueSubnet
	SecurityGroups []CatalogueGroup
	KeyPairs       []CatalogueKey
	Parameters     []CatalogueParameter
}

// CatalogueImage is a name for a base. What it says of itself is what the
// catalogue says; the machine is the base's.
type CatalogueImage struct {
	ID             string
	Name           string
	Region         string // optional; in every region by default
	Owner          string // account id; optional, this account by default
	OwnerAlias     string // amazon, aws-marketplace; optional
	Suite          string // the base; debian-12 by default
	User           string // whom cloud-init gives the key; admin by default, as the base has it
	Description    string
	Architecture   string // x86_64 by default; a label, the machine is of this computer's
	Virtualization string // hvm by default; a label
	RootDevice     string // /dev/xvda by default
	ProductCode    string
	Created        string // RFC 3339; now by default
	Tags           map[string]string
}

// CatalogueVpc is a VPC. All of a region lead to the same machines.
type CatalogueVpc struct {
	ID, Region string
	Tags       map[string]string
}

// CatalogueSubnet is a subnet of a catalogue's VPC, or of the default one.
type CatalogueSubnet struct {
	ID, Region, Vpc, Zone string
	Tags                  map[string]string
}

// CatalogueGroup is a security group.
type CatalogueGroup struct {
	ID, Region, Vpc, Name, Description string
	Tags                               map[string]string
}

// CatalogueKey is the public half of a key pair.
type CatalogueKey struct{ Name, Region, PublicKey string }

// CatalogueParameter is a parameter of Systems Manager's store.
type CatalogueParameter struct{ Name, Region, Value string }

// isAccount says whether an owner is an account's 12 digits.
func isAccount(owner string) bool {
	return len(owner) == 12 && strings.Trim(owner, "0123456789") == ""
}

// isUser says whether Linux takes a name for a user's.
func isUser(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz_"
	return len(name) <= 32 && strings.Trim(name[:1], letters) == "" && strings.Trim(name, letters+"0123456789-") == ""
}

// check says what is wrong with an image of a catalogue.
func (i CatalogueImage) check() []string {
	var all []string
	if !wellFormed("ami-", i.ID) {
		all = append(all, ".id: expects an id such as ami-0123456789abcdef0")
	}
	if i.Name == "" {
		all = append(all, ".name: required")
	}
	if i.Owner != "" && !isAccount(i.Owner) {
		all = append(all, ".owner: expects the 12 digits of an account; names such as amazon go into owner_alias")
	}
	if i.User != "" && !isUser(i.User) {
		all = append(all, ".user: expects the name of a user, such as ubuntu")
	}
	if _, err := suiteOf(i.suite()); err != nil {
		all = append(all, ".suite: there are debian-12 and debian-13")
	}
	if _, err := i.created(time.Time{}); err != nil {
		all = append(all, ".created: expects a time such as 2026-01-31T00:00:00Z")
	}
	return append(all, checkRegion(i.Region)...)
}

func (i CatalogueImage) suite() string {
	if i.Suite == "" {
		return "debian-12"
	}
	return i.Suite
}

func (i CatalogueImage) created(now time.Time) (time.Time, error) {
	if i.Created == "" {
		return now, nil
	}
	return time.Parse(time.RFC3339, i.Created)
}

func (v CatalogueVpc) check() []string {
	return append(checkID("vpc-", ".id", v.ID), checkRegion(v.Region)...)
}

func (s CatalogueSubnet) check() []string {
	all := append(checkID("subnet-", ".id", s.ID), checkRegion(s.Region)...)
	if s.Vpc != "" {
		all = append(all, checkID("vpc-", ".vpc", s.Vpc)...)
	}
	if s.Zone != "" && !slices.Contains(zonesOf(regionOr(s.Region)), s.Zone) {
		all = append(all, fmt.Sprintf(".zone: %s has the zones %s", regionOr(s.Region), strings.Join(zonesOf(regionOr(s.Region)), ", ")))
	}
	return all
}

func (g CatalogueGroup) check() []string {
	all := append(checkID("sg-", ".id", g.ID), checkRegion(g.Region)...)
	if g.Vpc != "" {
		all = append(all, checkID("vpc-", ".vpc", g.Vpc)...)
	}
	return all
}

func (k CatalogueKey) check() []string {
	all := checkRegion(k.Region)
	if k.Name == "" {
		all = append(all, ".name: required")
	}
	if _, err := parsePublic([]byte(k.PublicKey)); err != nil {
		all = append(all, ".public_key: expects a line of authorized_keys")
	}
	return all
}

func (p CatalogueParameter) check() []string {
	all := checkRegion(p.Region)
	if p.Name == "" || p.Value == "" {
		all = append(all, ": a parameter needs a name and a value")
	}
	return all
}

func checkID(prefix, field, id string) []string {
	if wellFormed(prefix, id) {
		return nil
	}
	return []string{fmt.Sprintf("%s: expects an id such as %s0123456789abcdef0", field, prefix)}
}

func checkRegion(name string) []string {
	if name == "" || slices.ContainsFunc(regions(), func(r region) bool { return r.name == name }) {
		return nil
	}
	return []string{".region: there is no region " + name}
}

// regionOr is a region that a catalogue names, or the one that it means by none.
func regionOr(region string) string {
	if region == "" {
		return defaultRegion
	}
	return region
}
