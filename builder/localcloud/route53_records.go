package localcloud

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

type zoneChangeItem struct {
	ID        string `xml:"Id"`
	Status    string
	Submitted string `xml:"SubmittedAt"`
}

func (c *Cloud) newChange() *zoneChangeItem {
	made := zoneChange{ID: strings.ToUpper(newID("C")), At: c.now()}
	c.state.Changes[made.ID] = made
	return c.zoneChangeItem(made)
}

// zoneChangeItem says whether a change has reached all servers, which takes as long as Delays says.
func (c *Cloud) zoneChangeItem(made zoneChange) *zoneChangeItem {
	item := &zoneChangeItem{ID: "/change/" + made.ID, Status: "INSYNC", Submitted: stamp(made.At)}
	if c.now().Sub(made.At) < c.options.Delays["insync"] {
		item.Status = "PENDING"
	}
	return item
}

func getChange(c *Cloud, r route53Call) (any, error) {
	made, ok := c.state.Changes[r.zone]
	if !ok {
		return nil, faultf("NoSuchChange", "Could not find resource with ID: %s", r.zone)
	}
	return struct {
		Change *zoneChangeItem `xml:"ChangeInfo"`
	}{c.zoneChangeItem(made)}, nil
}

// changeRecords changes all that a batch says, or nothing.
func changeRecords(c *Cloud, r route53Call) (any, error) {
	z, err := c.findZone(r.zone)
	if err != nil {
		return nil, err
	}
	var asked struct {
		Changes []struct {
			Action string
			Set    recordSet `xml:"ResourceRecordSet"`
		} `xml:"ChangeBatch>Changes>Change"`
	}
	if err := r.read(&asked); err != nil {
		return nil, err
	}
	records := slices.Clone(z.Records)
	var problems []string
	for _, change := range asked.Changes {
		set := change.Set
		set.Name = qualified(set.Name)
		if problem := set.wrong(z); problem != "" {
			problems = append(problems, problem)
			continue
		}
		var problem string
		if records, problem = applyChange(records, change.Action, set); problem != "" {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 || len(asked.Changes) == 0 {
		return nil, faultf("InvalidChangeBatch", "[%s]", strings.Join(problems, ", "))
	}
	z.Records = records
	return struct {
		Change *zoneChangeItem `xml:"ChangeInfo"`
	}{c.newChange()}, nil
}

// same says whether two sets answer the same question with the same identifier.
func (s recordSet) same(other recordSet) bool {
	return s.Name == other.Name && s.Type == other.Type && s.Identifier == other.Identifier
}

func applyChange(records []recordSet, action string, set recordSet) (changed []recordSet, problem string) {
	at := slices.IndexFunc(records, set.same)
	what := fmt.Sprintf("resource record set [name='%s', type='%s']", set.Name, set.Type)
	simple := slices.ContainsFunc(records, func(other recordSet) bool {
		return other.Name == set.Name && other.Type == set.Type && (other.Weight == nil) != (set.Weight == nil)
	})
	switch {
	case action == "DELETE" && at < 0:
		return records, "Tried to delete " + what + " but it was not found"
	case action == "DELETE" && !equalRecords(records[at], set):
		return records, "Tried to delete " + what + " but the values provided do not match the current values"
	case action == "DELETE":
		return slices.Delete(records, at, at+1), ""
	case action == "CREATE" && at >= 0:
		return records, "Tried to create " + what + " but it already exists"
	case simple:
		return records, "RRSet with DNS name " + set.Name + ", type " + set.Type + " cannot be created as other RRSets exist with the same name and type, of another routing policy."
	case action == "CREATE" || action == "UPSERT" && at < 0:
		return append(records, set), ""
	case action == "UPSERT":
		records[at] = set
		return records, ""
	}
	return records, "Invalid action: " + action
}

func equalRecords(a, b recordSet) bool {
	return slices.Equal(a.Values, b.Values) && pointed(a.TTL) == pointed(b.TTL) && pointed(a.Weight) == pointed(b.Weight) && pointed(a.Alias) == pointed(b.Alias)
}

func pointed[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// wrong says what is wrong with a set of records; "" when nothing is.
func (s recordSet) wrong(z *hostedZone) string {
	switch {
	case s.Name != z.Name && !strings.HasSuffix(s.Name, "."+z.Name):
		return fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", s.Name, z.Name)
	case s.Alias != nil && (len(s.Values) > 0 || s.TTL != nil):
		return "Invalid request: an alias has neither TTL nor ResourceRecords"
	case s.Alias == nil && (len(s.Values) == 0 || s.TTL == nil):
		return "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]"
	case (s.Weight == nil) != (s.Identifier == ""):
		return "Invalid request: a weighted record has both Weight and SetIdentifier"
	case s.Weight != nil && (*s.Weight < 0 || *s.Weight > 255):
		return "Invalid request: Weight must be from 0 to 255"
	case !slices.Contains([]string{"A", "AAAA", "CNAME", "TXT", "NS", "SOA", "MX", "CAA"}, s.Type):
		return "The local cloud has no records of the type " + s.Type
	}
	for _, value := range s.Values {
		if addr, err := netip.ParseAddr(value); (s.Type == "A" && (err != nil || !addr.Is4())) || (s.Type == "AAAA" && (err != nil || !addr.Is6())) {
			return fmt.Sprintf("Invalid Resource Record: '%s' is not an address of the type %s", value, s.Type)
		}
	}
	return ""
}

func listRecords(c *Cloud, r route53Call) (any, error) {
	z, err := c.findZone(r.zone)
	if err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(cmp.Or(r.query.Get("maxitems"), "300"))
	if err != nil || size < 1 {
		return nil, faultf("InvalidInput", "maxitems '%s' is not a number from 1 on", r.query.Get("maxitems"))
	}
	all := slices.Clone(z.Records)
	slices.SortFunc(all, compareRecords)
	if name := r.query.Get("name"); name != "" {
		from := recordSet{Name: qualified(name), Type: r.query.Get("type"), Identifier: r.query.Get("identifier")}
		all = slices.DeleteFunc(all, func(s recordSet) bool { return compareRecords(s, from) < 0 })
	}
	answer := struct {
		Records   []recordSet `xml:"ResourceRecordSets>ResourceRecordSet"`
		Truncated bool        `xml:"IsTruncated"`
		MaxItems  int
		Name      string `xml:"NextRecordName,omitempty"`
		Type      string `xml:"NextRecordType,omitempty"`
		ID        string `xml:"NextRecordIdentifier,omitempty"`
	}{Records: all[:min(size, len(all))], MaxItems: size}
	if len(all) > size {
		next := all[size]
		answer.Truncated, answer.Name, answer.Type, answer.ID = true, next.Name, next.Type, next.Identifier
	}
	return answer, nil
}

// compareRecords is the order in which Route 53 lists.
func compareRecords(a, b recordSet) int {
	return cmp.Or(cmp.Compare(reversed(a.Name), reversed(b.Name)), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Identifier, b.Identifier))
}

func changeZoneTags(c *Cloud, r route53Call) (any, error) {
	z, err := c.findZone(r.zone)
	if err != nil {
		return nil, err
	}
	var asked struct {
		Add    []attributeItem `xml:"AddTags>Tag"`
		Remove []string        `xml:"RemoveTagKeys>Key"`
	}
	if err := r.read(&asked); err != nil {
		return nil, err
	}
	tags := withDefaults(nil, z.Tags)
	for _, key := range asked.Remove {
		delete(tags, key)
	}
	for _, t := range asked.Add {
		tags[t.Key] = t.Value
	}
	z.Tags = tags
	return struct{}{}, nil
}

func listZoneTags(c *Cloud, r route53Call) (any, error) {
	z, err := c.findZone(r.zone)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Set struct {
			Type string          `xml:"ResourceType"`
			ID   string          `xml:"ResourceId"`
			Tags []attributeItem `xml:"Tags>Tag"`
		} `xml:"ResourceTagSet"`
	}
	answer.Set.Type, answer.Set.ID = "hostedzone", z.ID
	for _, key := range sortedKeys(z.Tags) {
		answer.Set.Tags = append(answer.Set.Tags, attributeItem{key, z.Tags[key]})
	}
	return answer, nil
}
