package localcloud

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// groupCheck is how a target group's health is checked, in AWS's words.
type groupCheck struct {
	Path               string
	Port               string // traffic-port, or a number
	Interval, Timeout  int    // seconds
	Healthy, Unhealthy int    // in a row
	Matcher            string
}

// targetAttributes are AWS's defaults.
func targetAttributes() map[string]string {
	return map[string]string{
		"deregistration_delay.timeout_seconds":  "300",
		"load_balancing.algorithm.type":         "round_robin",
		"load_balancing.cross_zone.enabled":     "use_load_balancer_configuration",
		"slow_start.duration_seconds":           "0",
		"stickiness.enabled":                    "false",
		"stickiness.lb_cookie.duration_seconds": "86400",
		"stickiness.type":                       "lb_cookie",
	}
}

// readCheck reads the health check of a target group; what is absent stays as it is.
func readCheck(r *request, now groupCheck) groupCheck {
	r.oneOf("HealthCheckProtocol", "HTTP", "HTTP")
	r.oneOf("HealthCheckEnabled", "true", "true")
	now.Path = cmp.Or(r.text("HealthCheckPath"), now.Path)
	now.Port = cmp.Or(r.text("HealthCheckPort"), now.Port)
	now.Interval = r.within("HealthCheckIntervalSeconds", now.Interval, 5, 300)
	now.Timeout = r.within("HealthCheckTimeoutSeconds", now.Timeout, 2, 120)
	now.Healthy = r.within("HealthyThresholdCount", now.Healthy, 2, 10)
	now.Unhealthy = r.within("UnhealthyThresholdCount", now.Unhealthy, 2, 10)
	now.Matcher = cmp.Or(r.at("Matcher").text("HttpCode"), now.Matcher)
	if !strings.HasPrefix(now.Path, "/") {
		r.problem(faultf("ValidationError", "Health check path '%s' must begin with a '/' character", now.Path))
	}
	if _, err := strconv.ParseUint(now.Port, 10, 16); err != nil && now.Port != "traffic-port" {
		r.problem(faultf("ValidationError", "Health check port '%s' must be either 'traffic-port' or a valid port", now.Port))
	}
	if now.Timeout >= now.Interval {
		r.problem(faultf("ValidationError", "Health check timeout '%d' must be smaller than the interval '%d'", now.Timeout, now.Interval))
	}
	return now
}

func createTargetGroup(c *Cloud, r *request) (any, error) {
	g := &targetGroup{Region: r.region, Name: r.checkName("Target group"), Attributes: map[string]string{}}
	g.Port = r.within("Port", 0, 1, 65535)
	if g.Port == 0 {
		r.problem(missing("Port"))
	}
	r.oneOf("Protocol", "HTTP", "HTTP")
	r.oneOf("ProtocolVersion", "HTTP1", "HTTP1")
	r.oneOf("TargetType", "instance", "instance")
	r.oneOf("IpAddressType", "ipv4", "ipv4")
	g.VpcID = r.need("VpcId")
	g.Check = readCheck(r, groupCheck{Path: "/", Port: "traffic-port", Interval: 30, Timeout: 5, Healthy: 5, Unhealthy: 2, Matcher: "200"})
	g.Tags = r.tagList("Tags.member")
	if err := r.checked(); err != nil {
		return nil, err
	}
	if v := c.state.Vpcs[g.VpcID]; v == nil || v.Region != r.region {
		return nil, faultf("ValidationError", "The VPC ID '%s' is not found", g.VpcID)
	}
	for _, other := range c.state.TargetGroups {
		if other.Region != g.Region || other.Name != g.Name {
			continue
		}
		if other.Port == g.Port && other.VpcID == g.VpcID && other.Check == g.Check {
			return c.groupsAnswer([]*targetGroup{other}, ""), nil
		}
		return nil, faultf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", g.Name)
	}
	g.ARN = elbARN(r.region, "targetgroup", g.Name)
	c.state.TargetGroups[g.ARN] = g
	return c.groupsAnswer([]*targetGroup{g}, ""), c.route()
}

func modifyTargetGroup(c *Cloud, r *request) (any, error) {
	g, err := c.findTargetGroup(r.region, r.need("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	check := readCheck(r, g.Check)
	if err := r.checked(); err != nil {
		return nil, err
	}
	g.Check = check
	return c.groupsAnswer([]*targetGroup{g}, ""), c.route()
}

// deleteTargetGroup deletes a group that no listener uses. As on AWS, one that
// is not there is no fault.
func deleteTargetGroup(c *Cloud, r *request) (any, error) {
	id := r.need("TargetGroupArn")
	if err := r.checked(); err != nil {
		return nil, err
	}
	if _, err := c.findTargetGroup(r.region, id); err != nil {
		return nil, nil
	}
	if len(c.balancersOf(id)) > 0 {
		return nil, faultf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", id)
	}
	delete(c.state.TargetGroups, id)
	return nil, c.route()
}

type targetGroupItem struct {
	ARN             string   `xml:"TargetGroupArn"`
	Name            string   `xml:"TargetGroupName"`
	Protocol        string   `xml:"Protocol"`
	ProtocolVersion string   `xml:"ProtocolVersion"`
	Port            int      `xml:"Port"`
	VpcID           string   `xml:"VpcId"`
	CheckEnabled    bool     `xml:"HealthCheckEnabled"`
	CheckProtocol   string   `xml:"HealthCheckProtocol"`
	CheckPort       string   `xml:"HealthCheckPort"`
	CheckPath       string   `xml:"HealthCheckPath"`
	Interval        int      `xml:"HealthCheckIntervalSeconds"`
	Timeout         int      `xml:"HealthCheckTimeoutSeconds"`
	Healthy         int      `xml:"HealthyThresholdCount"`
	Unhealthy       int      `xml:"UnhealthyThresholdCount"`
	Matcher         string   `xml:"Matcher>HttpCode"`
	Balancers       []string `xml:"LoadBalancerArns>member"`
	TargetType      string   `xml:"TargetType"`
	IPAddressType   string   `xml:"IpAddressType"`
}

func (c *Cloud) groupsAnswer(all []*targetGroup, next string) any {
	var answer struct {
		Groups []targetGroupItem `xml:"TargetGroups>member"`
		Next   string            `xml:"NextMarker,omitempty"`
	}
	answer.Next = next
	for _, g := range all {
		answer.Groups = append(answer.Groups, targetGroupItem{
			ARN: g.ARN, Name: g.Name, Protocol: "HTTP", ProtocolVersion: "HTTP1", Port: g.Port, VpcID: g.VpcID,
			CheckEnabled: true, CheckProtocol: "HTTP", CheckPort: g.Check.Port, CheckPath: g.Check.Path,
			Interval: g.Check.Interval, Timeout: g.Check.Timeout, Healthy: g.Check.Healthy, Unhealthy: g.Check.Unhealthy,
			Matcher: g.Check.Matcher, Balancers: c.balancersOf(g.ARN), TargetType: "instance", IPAddressType: "ipv4",
		})
	}
	return answer
}

func describeTargetGroups(c *Cloud, r *request) (any, error) {
	ids, names, of := r.members("TargetGroupArns"), r.members("Names"), r.text("LoadBalancerArn")
	here := inRegion(c.state.TargetGroups, r.region, func(g *targetGroup) string { return g.Region })
	slices.SortFunc(here, func(a, b *targetGroup) int { return cmp.Compare(a.Name, b.Name) })
	if of != "" {
		if _, err := c.findBalancer(r.region, of); err != nil {
			return nil, err
		}
		here = slices.DeleteFunc(here, func(g *targetGroup) bool { return !slices.Contains(c.balancersOf(g.ARN), of) })
	}
	all, absent := asked(here, ids, names, func(g *targetGroup) (string, string) { return g.ARN, g.Name })
	if absent != "" {
		return nil, faultf("TargetGroupNotFound", "One or more target groups not found: '%s'", absent)
	}
	page, next := elbPage(r, all)
	if err := r.checked(); err != nil {
		return nil, err
	}
	return c.groupsAnswer(page, next), nil
}

func modifyTargetGroupAttributes(c *Cloud, r *request) (any, error) {
	g, err := c.findTargetGroup(r.region, r.need("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	changed, err := changeAttributes(r, g.Attributes, targetAttributes())
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(withDefaults(changed, targetAttributes())["deregistration_delay.timeout_seconds"]); err != nil || n < 0 || n > 3600 {
		return nil, faultf("ValidationError", "Attribute value of deregistration_delay.timeout_seconds must be between 0 and 3600")
	}
	if changed["stickiness.enabled"] == "true" || withDefaults(changed, targetAttributes())["slow_start.duration_seconds"] != "0" {
		return nil, faultf("InvalidConfigurationRequest", "The local cloud has no stickiness and no slow start.")
	}
	g.Attributes = changed
	return attributesAnswer(g.Attributes, targetAttributes()), c.route()
}

func describeTargetGroupAttributes(c *Cloud, r *request) (any, error) {
	g, err := c.findTargetGroup(r.region, r.need("TargetGroupArn"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	return attributesAnswer(g.Attributes, targetAttributes()), nil
}

// config is the group for the data plane. lag is how long a draining target still gets requests.
func (g *targetGroup) config(lag time.Duration) balancer.GroupConfig {
	all := withDefaults(g.Attributes, targetAttributes())
	delay, _ := strconv.Atoi(all["deregistration_delay.timeout_seconds"]) // checked when it was set
	port, _ := strconv.ParseUint(g.Check.Port, 10, 16)                    // 0 for traffic-port
	return balancer.GroupConfig{
		Check: balancer.HealthCheck{
			Path: g.Check.Path, Port: uint16(port), Matcher: g.Check.Matcher, Healthy: g.Check.Healthy, Unhealthy: g.Check.Unhealthy,
			Interval: time.Duration(g.Check.Interval) * time.Second, Timeout: time.Duration(g.Check.Timeout) * time.Second,
		},
		DeregistrationDelay: time.Duration(delay) * time.Second,
		Lag:                 lag,
		LeastOutstanding:    all["load_balancing.algorithm.type"] == "least_outstanding_requests",
	}
}
