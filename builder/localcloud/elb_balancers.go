package localcloud

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

func createLoadBalancer(c *Cloud, r *request) (any, error) {
	lb := &loadBalancer{Region: r.region, Name: r.checkName("Load balancer"), Created: c.now(), Attributes: map[string]string{}}
	lb.Scheme = r.oneOf("Scheme", "internet-facing", "internet-facing", "internal")
	r.oneOf("Type", "application", "application")
	r.oneOf("IpAddressType", "ipv4", "ipv4")
	lb.Tags = r.tagList("Tags.member")
	err := firstOf(c.placeBalancer(r, lb), c.groupsOfBalancer(r, lb))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, other := range c.state.Balancers {
		if other.Region != lb.Region || other.Name != lb.Name {
			continue
		}
		if other.Scheme == lb.Scheme && slices.Equal(other.Subnets, lb.Subnets) && slices.Equal(other.Groups, lb.Groups) {
			return c.balancersAnswer([]*loadBalancer{other}, ""), nil
		}
		return nil, faultf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", lb.Name)
	}
	lb.ARN = elbARN(r.region, "loadbalancer/app", lb.Name)
	lb.Address = fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(64), rand.IntN(256), 1+rand.IntN(254))
	c.state.Balancers[lb.ARN] = lb
	return c.balancersAnswer([]*loadBalancer{lb}, ""), nil
}

// placeBalancer reads the subnets, which are of at least two zones of one VPC.
func (c *Cloud) placeBalancer(r *request, lb *loadBalancer) error {
	ids := r.members("Subnets")
	for _, mapping := range r.eachMember("SubnetMappings") {
		ids = append(ids, mapping.need("SubnetId"))
	}
	zones := map[string]bool{}
	for _, id := range ids {
		s, err := c.findSubnet(r.region, id)
		if err != nil {
			return faultf("SubnetNotFound", "The subnet ID '%s' does not exist", id)
		}
		if lb.VpcID != "" && s.VpcID != lb.VpcID {
			return faultf("InvalidConfigurationRequest", "The subnets must be of one VPC; '%s' is not in '%s'", id, lb.VpcID)
		}
		if zones[s.Zone] {
			return faultf("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		zones[s.Zone], lb.VpcID = true, s.VpcID
	}
	if len(zones) < 2 {
		return faultf("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	lb.Subnets = slices.Sorted(slices.Values(ids))
	return nil
}

func (c *Cloud) groupsOfBalancer(r *request, lb *loadBalancer) error {
	ids := r.members("SecurityGroups")
	if len(ids) == 0 && lb.VpcID != "" {
		ids = []string{c.defaultGroupOf(lb.VpcID).ID}
	}
	for _, id := range ids {
		if _, err := c.findGroup(r.region, id); err != nil {
			return faultf("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		}
	}
	lb.Groups = ids
	return nil
}

func setSubnets(c *Cloud, r *request) (any, error) {
	lb, err := c.findBalancer(r.region, r.need("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	moved := loadBalancer{VpcID: lb.VpcID}
	err = c.placeBalancer(r, &moved)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	lb.Subnets = moved.Subnets
	return struct {
		Zones []balancerZone `xml:"AvailabilityZones>member"`
	}{c.zonesOfBalancer(lb)}, nil
}

func setSecurityGroups(c *Cloud, r *request) (any, error) {
	lb, err := c.findBalancer(r.region, r.need("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	changed := loadBalancer{VpcID: lb.VpcID}
	err = c.groupsOfBalancer(r, &changed)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	lb.Groups = changed.Groups
	return struct {
		Groups []string `xml:"SecurityGroupIds>member"`
	}{lb.Groups}, nil
}

// deleteLoadBalancer deletes a load balancer and its listeners. As on AWS, one
// that is not there is no fault.
func deleteLoadBalancer(c *Cloud, r *request) (any, error) {
	id := r.need("LoadBalancerArn")
	if err := r.checked(); err != nil {
		return nil, err
	}
	lb, err := c.findBalancer(r.region, id)
	if err != nil {
		return nil, nil
	}
	if lb.Attributes["deletion_protection.enabled"] == "true" {
		return nil, faultf("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", id)
	}
	for _, l := range c.listenersOf(id) {
		c.dropListener(l)
	}
	delete(c.state.Balancers, id)
	return nil, c.route()
}

type balancerZone struct {
	ZoneName string
	SubnetID string `xml:"SubnetId"`
}

type balancerItem struct {
	ARN           string `xml:"LoadBalancerArn"`
	DNSName       string
	HostedZone    string `xml:"CanonicalHostedZoneId"`
	Created       string `xml:"CreatedTime"`
	Name          string `xml:"LoadBalancerName"`
	Scheme        string
	VpcID         string         `xml:"VpcId"`
	State         string         `xml:"State>Code"`
	Type          string         `xml:"Type"`
	Zones         []balancerZone `xml:"AvailabilityZones>member"`
	Groups        []string       `xml:"SecurityGroups>member"`
	IPAddressType string         `xml:"IpAddressType"`
}

func (c *Cloud) zonesOfBalancer(lb *loadBalancer) []balancerZone {
	var zones []balancerZone
	for _, id := range lb.Subnets {
		zone := balancerZone{SubnetID: id}
		if s := c.state.Subnets[id]; s != nil {
			zone.ZoneName = s.Zone
		}
		zones = append(zones, zone)
	}
	return zones
}

// balancerZoneID is the hosted zone that AWS keeps a region's load balancers in.
const balancerZoneID = "Z35SXDOTRQ7X7K"

func (c *Cloud) balancersAnswer(all []*loadBalancer, next string) any {
	var answer struct {
		Balancers []balancerItem `xml:"LoadBalancers>member"`
		Next      string         `xml:"NextMarker,omitempty"`
	}
	answer.Next = next
	for _, lb := range all {
		state := "active"
		if c.now().Sub(lb.Created) < c.options.Delays["active"] {
			state = "provisioning"
		}
		answer.Balancers = append(answer.Balancers, balancerItem{
			ARN: lb.ARN, DNSName: lb.Address, HostedZone: balancerZoneID, Created: stamp(lb.Created), Name: lb.Name, Scheme: lb.Scheme,
			VpcID: lb.VpcID, State: state, Type: "application", Zones: c.zonesOfBalancer(lb), Groups: lb.Groups, IPAddressType: "ipv4",
		})
	}
	return answer
}

func describeLoadBalancers(c *Cloud, r *request) (any, error) {
	ids, names := r.members("LoadBalancerArns"), r.members("Names")
	here := inRegion(c.state.Balancers, r.region, func(lb *loadBalancer) string { return lb.Region })
	slices.SortFunc(here, func(a, b *loadBalancer) int { return cmp.Compare(a.Name, b.Name) })
	all, err := asked(here, ids, names, func(lb *loadBalancer) (string, string) { return lb.ARN, lb.Name })
	if err != "" {
		return nil, faultf("LoadBalancerNotFound", "Load balancers '[%s]' not found", err)
	}
	page, next := elbPage(r, all)
	if err := r.checked(); err != nil {
		return nil, err
	}
	return c.balancersAnswer(page, next), nil
}

// asked is those with the ids and the names; all of them when there is neither.
// The text is the one that is not there.
func asked[T any](all []T, ids, names []string, of func(T) (id, name string)) (found []T, absent string) {
	if len(ids)+len(names) == 0 {
		return all, ""
	}
	for _, want := range slices.Concat(ids, names) {
		at := slices.IndexFunc(all, func(one T) bool {
			id, name := of(one)
			return id == want || name == want
		})
		if at < 0 {
			return nil, want
		}
		found = append(found, all[at])
	}
	return found, ""
}

// attributeItem is one attribute of a load balancer or a target group.
type attributeItem struct{ Key, Value string }

// balancerAttributes are AWS's defaults.
func balancerAttributes() map[string]string {
	return map[string]string{
		"access_logs.s3.enabled":                          "false",
		"client_keep_alive.seconds":                       "3600",
		"deletion_protection.enabled":                     "false",
		"idle_timeout.timeout_seconds":                    "60",
		"load_balancing.cross_zone.enabled":               "true",
		"routing.http.desync_mitigation_mode":             "defensive",
		"routing.http.drop_invalid_header_fields.enabled": "false",
		"routing.http.preserve_host_header.enabled":       "false",
		"routing.http.xff_header_processing.mode":         "append",
		"routing.http2.enabled":                           "true",
		"waf.fail_open.enabled":                           "false",
	}
}

// changeAttributes reads Attributes into what differs from the defaults.
func changeAttributes(r *request, own, defaults map[string]string) (map[string]string, error) {
	changed := withDefaults(nil, own)
	for _, item := range r.eachMember("Attributes") {
		key, value := item.need("Key"), item.text("Value")
		if _, known := defaults[key]; !known {
			return nil, faultf("ValidationError", "Attribute key '%s' is not recognized by the local cloud, which has: %s", key, strings.Join(sortedKeys(defaults), ", "))
		}
		changed[key] = value
	}
	return changed, r.checked()
}

func attributesAnswer(own, defaults map[string]string) any {
	var answer struct {
		Attributes []attributeItem `xml:"Attributes>member"`
	}
	all := withDefaults(own, defaults)
	for _, key := range sortedKeys(all) {
		answer.Attributes = append(answer.Attributes, attributeItem{key, all[key]})
	}
	return answer
}

func modifyLoadBalancerAttributes(c *Cloud, r *request) (any, error) {
	lb, err := c.findBalancer(r.region, r.need("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	if lb.Attributes, err = changeAttributes(r, lb.Attributes, balancerAttributes()); err != nil {
		return nil, err
	}
	return attributesAnswer(lb.Attributes, balancerAttributes()), c.route()
}

func describeLoadBalancerAttributes(c *Cloud, r *request) (any, error) {
	lb, err := c.findBalancer(r.region, r.need("LoadBalancerArn"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	return attributesAnswer(lb.Attributes, balancerAttributes()), nil
}
