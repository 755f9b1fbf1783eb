package localcloud

import (
	"slices"
	"strings"
)

func regionActions() map[string]handler {
	return map[string]handler{
		"DescribeAccountAttributes":     describeAccountAttributes,
		"DescribeAvailabilityZones":     describeAvailabilityZones,
		"DescribeInstanceTypeOfferings": describeInstanceTypeOfferings,
		"DescribeInstanceTypes":         describeInstanceTypes,
		"DescribeRegions":               describeRegions,
		"DescribeSpotPriceHistory":      describeSpotPriceHistory,
		"GetEbsDefaultKmsKeyId":         getEbsDefaultKmsKeyID,
		"GetEbsEncryptionByDefault":     getEbsEncryptionByDefault,
	}
}

type region struct {
	name  string
	short string // the beginning of its zones' ids
	optIn bool   // not enabled in a new account
}

// regions are AWS's at the time of writing. The local cloud answers for any
// other name too.
func regions() []region {
	return []region{
		{"af-south-1", "afs1", true}, {"ap-east-1", "ape1", true}, {"ap-northeast-1", "apne1", false},
		{"ap-northeast-2", "apne2", false}, {"ap-northeast-3", "apne3", false}, {"ap-south-1", "aps1", false},
		{"ap-south-2", "aps2", true}, {"ap-southeast-1", "apse1", false}, {"ap-southeast-2", "apse2", false},
		{"ap-southeast-3", "apse3", true}, {"ap-southeast-4", "apse4", true}, {"ca-central-1", "cac1", false},
		{"ca-west-1", "caw1", true}, {"eu-central-1", "euc1", false}, {"eu-central-2", "euc2", true},
		{"eu-north-1", "eun1", false}, {"eu-south-1", "eus1", true}, {"eu-south-2", "eus2", true},
		{"eu-west-1", "euw1", false}, {"eu-west-2", "euw2", false}, {"eu-west-3", "euw3", false},
		{"il-central-1", "ilc1", true}, {"me-central-1", "mec1", true}, {"me-south-1", "mes1", true},
		{"sa-east-1", "sae1", false}, {"us-east-1", "use1", false}, {"us-east-2", "use2", false},
		{"us-west-1", "usw1", false}, {"us-west-2", "usw2", false},
	}
}

func (one region) endpoint() string { return "ec2." + one.name + ".amazonaws.com" }

func (one region) status() string {
	if one.optIn {
		return "not-opted-in"
	}
	return "opt-in-not-required"
}

// zonesOf is the availability zones of a region.
func zonesOf(region string) []string {
	return []string{region + "a", region + "b", region + "c"}
}

// zoneID is the id of a zone, which is the same in all accounts: use1-az1.
func zoneID(zone string) string {
	name, letter := zone[:len(zone)-1], zone[len(zone)-1]
	short := strings.ReplaceAll(name, "-", "")
	for _, one := range regions() {
		if one.name == name {
			short = one.short
		}
	}
	return short + "-az" + string(letter-'a'+'1')
}

type regionItem struct {
	Name     string `xml:"regionName"`
	Endpoint string `xml:"regionEndpoint"`
	OptIn    string `xml:"optInStatus"`
}

func describeRegions(_ *Cloud, r *request) (any, error) {
	names := r.list("RegionName")
	everyOne := isTrue(r.boolean("AllRegions"))
	all := regions()
	for _, name := range names {
		if !slices.ContainsFunc(all, func(one region) bool { return one.name == name }) {
			return nil, faultf("InvalidParameterValue", "Invalid region provided: %s", name)
		}
	}
	all = slices.DeleteFunc(all, func(one region) bool {
		return len(names) > 0 && !slices.Contains(names, one.name) || one.optIn && !everyOne
	})
	all, err := describeAll(r, all, untagged[region], attributes[region]{
		"endpoint":      func(v region) []string { return one(v.endpoint()) },
		"opt-in-status": func(v region) []string { return one(v.status()) },
		"region-name":   func(v region) []string { return one(v.name) },
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Regions []regionItem `xml:"regionInfo>item"`
	}
	for _, one := range all {
		answer.Regions = append(answer.Regions, regionItem{one.name, one.endpoint(), one.status()})
	}
	return answer, nil
}

type zoneItem struct {
	Name   string `xml:"zoneName"`
	State  string `xml:"zoneState"`
	Region string `xml:"regionName"`
	ID     string `xml:"zoneId"`
	Group  string `xml:"groupName"`
	Border string `xml:"networkBorderGroup"`
	OptIn  string `xml:"optInStatus"`
	Type   string `xml:"zoneType"`
}

func describeAvailabilityZones(_ *Cloud, r *request) (any, error) {
	names, ids := r.list("ZoneName"), r.list("ZoneId")
	r.boolean("AllAvailabilityZones") // there are no local or wavelength zones
	var all []zoneItem
	for _, zone := range zonesOf(r.region) {
		all = append(all, zoneItem{
			Name: zone, State: available, Region: r.region, ID: zoneID(zone), Group: r.region + "-zg-1",
			Border: r.region, OptIn: "opt-in-not-required", Type: "availability-zone",
		})
	}
	for _, name := range names {
		if !slices.Contains(zonesOf(r.region), name) {
			return nil, faultf("InvalidParameterValue", "Invalid availability zone: [%s]", name)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(z zoneItem) bool { return z.ID == id }) {
			return nil, faultf("InvalidParameterValue", "Invalid availability zone-id: [%s]", id)
		}
	}
	all = slices.DeleteFunc(all, func(z zoneItem) bool {
		return len(names)+len(ids) > 0 && !slices.Contains(names, z.Name) && !slices.Contains(ids, z.ID)
	})
	all, err := describeAll(r, all, untagged[zoneItem], attributes[zoneItem]{
		"group-name":           func(z zoneItem) []string { return one(z.Group) },
		"message":              func(zoneItem) []string { return nil },
		"network-border-group": func(z zoneItem) []string { return one(z.Border) },
		"opt-in-status":        func(z zoneItem) []string { return one(z.OptIn) },
		"region-name":          func(z zoneItem) []string { return one(z.Region) },
		"state":                func(z zoneItem) []string { return one(z.State) },
		"zone-id":              func(z zoneItem) []string { return one(z.ID) },
		"zone-name":            func(z zoneItem) []string { return one(z.Name) },
		"zone-type":            func(z zoneItem) []string { return one(z.Type) },
	})
	return struct {
		Zones []zoneItem `xml:"availabilityZoneInfo>item"`
	}{all}, err
}

type accountAttribute struct {
	Name   string   `xml:"attributeName"`
	Values []string `xml:"attributeValueSet>item>attributeValue"`
}

func describeAccountAttributes(c *Cloud, r *request) (any, error) {
	all := []accountAttribute{
		{"supported-platforms", []string{"VPC"}},
		{"default-vpc", []string{c.networkOf(r.region).ID}},
		{"max-instances", []string{"20"}},
		{"vpc-max-security-groups-per-interface", []string{"5"}},
	}
	if names := r.list("AttributeName"); len(names) > 0 {
		all = slices.DeleteFunc(all, func(one accountAttribute) bool { return !slices.Contains(names, one.Name) })
		if len(all) < len(slices.Compact(slices.Sorted(slices.Values(names)))) {
			return nil, faultf("InvalidParameterValue", "The local cloud does not know one of the account attributes %s", strings.Join(names, ", "))
		}
	}
	return struct {
		Attributes []accountAttribute `xml:"accountAttributeSet>item"`
	}{all}, r.dryRun()
}

func getEbsEncryptionByDefault(_ *Cloud, r *request) (any, error) {
	return struct {
		Encrypted bool   `xml:"ebsEncryptionByDefault"`
		SSE       string `xml:"sseType"`
	}{false, "none"}, r.dryRun()
}

func getEbsDefaultKmsKeyID(_ *Cloud, r *request) (any, error) {
	return struct {
		ID string `xml:"kmsKeyId"`
	}{keyARN(r.region, "")}, r.dryRun()
}
