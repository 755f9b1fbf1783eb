package localcloud

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	route53Namespace = "https://route53.amazonaws.com/doc/2013-04-01/"
	route53Path      = "/2013-04-01/"
)

// hostedZone is a public hosted zone.
type hostedZone struct {
	ID        string // without /hostedzone/
	Name      string // with the dot at its end
	Comment   string
	Reference string // the caller's, used once
	Records   []recordSet
	Tags      map[string]string
}

// recordSet is the answers to one question.
type recordSet struct {
	Name       string
	Type       string
	Identifier string       `xml:"SetIdentifier,omitempty"`
	Weight     *int         `xml:"Weight,omitempty"`
	TTL        *int         `xml:"TTL,omitempty"`
	Values     values       `xml:"ResourceRecords,omitempty"`
	Alias      *aliasTarget `xml:"AliasTarget,omitempty"`
}

// values are the answers of a record. An alias has none, and then no element either.
type values []string

type resourceRecords struct {
	Records []resourceRecord `xml:"ResourceRecord"`
}

type resourceRecord struct{ Value string }

func (v values) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if len(v) == 0 {
		return nil
	}
	var all resourceRecords
	for _, one := range v {
		all.Records = append(all.Records, resourceRecord{one})
	}
	return e.EncodeElement(all, start)
}

func (v *values) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var all resourceRecords
	if err := d.DecodeElement(&all, &start); err != nil {
		return err
	}
	for _, one := range all.Records {
		*v = append(*v, one.Value)
	}
	return nil
}

// aliasTarget is a load balancer, by its name in DNS, or another record of the zone.
type aliasTarget struct {
	Zone     string `xml:"HostedZoneId"`
	DNSName  string
	Evaluate bool `xml:"EvaluateTargetHealth"`
}

// zoneChange is a change of records, which the servers of the world learn after a while.
type zoneChange struct {
	ID string
	At time.Time
}

// route53Call is one call of Route 53, whose resources are paths.
type route53Call struct {
	region string
	query  url.Values
	body   []byte
	zone   string // the id in the path
}

// route53Action is an operation: where it is, and what answers it.
type route53Action struct {
	name   string
	method string
	path   string // {} is an id
	status int
	do     func(*Cloud, route53Call) (any, error)
}

func route53Actions() []route53Action {
	return []route53Action{
		{"CreateHostedZone", "POST", "hostedzone", http.StatusCreated, createHostedZone},
		{"ListHostedZones", "GET", "hostedzone", http.StatusOK, listHostedZones},
		{"ListHostedZonesByName", "GET", "hostedzonesbyname", http.StatusOK, listHostedZonesByName},
		{"GetHostedZone", "GET", "hostedzone/{}", http.StatusOK, getHostedZone},
		{"DeleteHostedZone", "DELETE", "hostedzone/{}", http.StatusOK, deleteHostedZone},
		{"ChangeResourceRecordSets", "POST", "hostedzone/{}/rrset", http.StatusOK, changeRecords},
		{"ListResourceRecordSets", "GET", "hostedzone/{}/rrset", http.StatusOK, listRecords},
		{"GetChange", "GET", "change/{}", http.StatusOK, getChange},
		{"ChangeTagsForResource", "POST", "tags/hostedzone/{}", http.StatusOK, changeZoneTags},
		{"ListTagsForResource", "GET", "tags/hostedzone/{}", http.StatusOK, listZoneTags},
	}
}

// serveRoute53 answers the REST calls of Route 53.
func (c *Cloud) serveRoute53(w http.ResponseWriter, r *http.Request, region string, body []byte) {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, route53Path), "/")
	for _, action := range route53Actions() {
		id, is := action.matches(r.Method, path)
		if !is {
			continue
		}
		call := route53Call{region: region, query: r.URL.Query(), body: body, zone: id}
		form := newRequest(r.Context(), region, url.Values{"Action": {action.name}})
		c.withFaults(w, r, "route53", form, func(w http.ResponseWriter) { c.answerRoute53(w, action, call) })
		return
	}
	refuseRoute53(w, faultf("InvalidAction", "The local cloud has no %s %s of Route 53.", r.Method, r.URL.Path))
}

// matches says whether a call is of the action, and for which id.
func (a route53Action) matches(method, path string) (id string, is bool) {
	want, got := strings.Split(a.path, "/"), strings.Split(path, "/")
	if a.method != method || len(want) != len(got) {
		return "", false
	}
	for i, part := range want {
		if part == "{}" {
			id = got[i]
		} else if part != got[i] {
			return "", false
		}
	}
	return id, true
}

func (c *Cloud) answerRoute53(w http.ResponseWriter, action route53Action, call route53Call) {
	c.mu.Lock()
	answer, err := action.do(c, call)
	if err == nil && action.method != http.MethodGet {
		err = c.save()
	}
	c.mu.Unlock()
	c.log.Debug("call", "action", action.name, "fault", err)
	if err != nil {
		refuseRoute53(w, faultOf(err))
		return
	}
	var out strings.Builder
	out.WriteString(xml.Header)
	root := xml.StartElement{Name: xml.Name{Space: route53Namespace, Local: action.name + "Response"}}
	if err := xml.NewEncoder(&out).EncodeElement(answer, root); err != nil {
		refuseRoute53(w, faultOf(err))
		return
	}
	writeXML(w, action.status, []byte(out.String()))
}

// refuseRoute53 answers in the form of Route 53's errors.
func refuseRoute53(w http.ResponseWriter, f *fault) {
	if f.Code == "NoSuchHostedZone" || f.Code == "NoSuchChange" {
		f.Status = http.StatusNotFound
	}
	refuseQuery(w, route53Namespace, w.Header().Get("X-Amzn-Requestid"), f)
}

// read reads the body of a call.
func (r route53Call) read(into any) error {
	if err := xml.Unmarshal(r.body, into); err != nil {
		return faultf("InvalidInput", "The request cannot be read: %v", err)
	}
	return nil
}

// qualified is a name of DNS in the form in which it is compared.
func qualified(name string) string {
	name = strings.ToLower(name)
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return name
}

func (c *Cloud) findZone(id string) (*hostedZone, error) {
	z := c.state.Zones[strings.TrimPrefix(id, "/hostedzone/")]
	if z == nil {
		return nil, faultf("NoSuchHostedZone", "No hosted zone found with ID: %s", id)
	}
	return z, nil
}

type hostedZoneItem struct {
	ID        string `xml:"Id"`
	Name      string
	Reference string `xml:"CallerReference"`
	Comment   string `xml:"Config>Comment,omitempty"`
	Private   bool   `xml:"Config>PrivateZone"`
	Count     int    `xml:"ResourceRecordSetCount"`
}

func (z *hostedZone) item() hostedZoneItem {
	return hostedZoneItem{ID: "/hostedzone/" + z.ID, Name: z.Name, Reference: z.Reference, Comment: z.Comment, Count: len(z.Records)}
}

type zoneAnswer struct {
	Zone        hostedZoneItem  `xml:"HostedZone"`
	Change      *zoneChangeItem `xml:"ChangeInfo,omitempty"`
	NameServers []string        `xml:"DelegationSet>NameServers>NameServer"`
}

// nameServer is the name that the local cloud's DNS server has in its zones.
const nameServer = "ns.local.imago."

func createHostedZone(c *Cloud, r route53Call) (any, error) {
	var asked struct {
		Name      string
		Reference string `xml:"CallerReference"`
		Comment   string `xml:"HostedZoneConfig>Comment"`
		Private   bool   `xml:"HostedZoneConfig>PrivateZone"`
	}
	if err := r.read(&asked); err != nil {
		return nil, err
	}
	switch {
	case asked.Name == "" || asked.Reference == "":
		return nil, faultf("InvalidInput", "A hosted zone needs Name and CallerReference")
	case asked.Private:
		return nil, faultf("InvalidInput", "The local cloud has no private hosted zones.")
	}
	for _, z := range c.state.Zones {
		if z.Reference == asked.Reference {
			return nil, faultf("HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.")
		}
	}
	z := &hostedZone{ID: strings.ToUpper(newID("Z")), Name: qualified(asked.Name), Comment: asked.Comment, Reference: asked.Reference}
	z.Records = []recordSet{
		{Name: z.Name, Type: "NS", TTL: new(172800), Values: []string{nameServer}},
		{Name: z.Name, Type: "SOA", TTL: new(900), Values: []string{nameServer + " hostmaster.local.imago. 1 7200 900 1209600 86400"}},
	}
	c.state.Zones[z.ID] = z
	return zoneAnswer{Zone: z.item(), Change: c.newChange(), NameServers: []string{strings.TrimSuffix(nameServer, ".")}}, nil
}

func getHostedZone(c *Cloud, r route53Call) (any, error) {
	z, err := c.findZone(r.zone)
	if err != nil {
		return nil, err
	}
	return zoneAnswer{Zone: z.item(), NameServers: []string{strings.TrimSuffix(nameServer, ".")}}, nil
}

func deleteHostedZone(c *Cloud, r route53Call) (any, error) {
	z, err := c.findZone(r.zone)
	if err != nil {
		return nil, err
	}
	if len(z.Records) > 2 {
		return nil, faultf("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	delete(c.state.Zones, z.ID)
	return struct {
		Change *zoneChangeItem `xml:"ChangeInfo"`
	}{c.newChange()}, nil
}

// zonesByName is all zones in the order of Route 53: by the labels of their names from the right.
func (c *Cloud) zonesByName() []*hostedZone {
	var all []*hostedZone
	for _, z := range c.state.Zones {
		all = append(all, z)
	}
	slices.SortFunc(all, func(a, b *hostedZone) int {
		return cmp.Or(cmp.Compare(reversed(a.Name), reversed(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// reversed is com.example.www. of www.example.com.
func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

type zonesAnswer struct {
	Zones     []hostedZoneItem `xml:"HostedZones>HostedZone"`
	DNSName   string           `xml:"DNSName,omitempty"`
	Truncated bool             `xml:"IsTruncated"`
	MaxItems  string
}

func listHostedZones(c *Cloud, _ route53Call) (any, error) {
	answer := zonesAnswer{MaxItems: "100"}
	for _, z := range c.zonesByName() {
		answer.Zones = append(answer.Zones, z.item())
	}
	return answer, nil
}

// listHostedZonesByName lists the zones from a name on.
func listHostedZonesByName(c *Cloud, r route53Call) (any, error) {
	answer := zonesAnswer{MaxItems: cmp.Or(r.query.Get("maxitems"), "100"), DNSName: r.query.Get("dnsname")}
	for _, z := range c.zonesByName() {
		if answer.DNSName == "" || reversed(z.Name) >= reversed(qualified(answer.DNSName)) {
			answer.Zones = append(answer.Zones, z.item())
		}
	}
	return answer, nil
}
