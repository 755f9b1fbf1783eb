package localcloud

import (
	"slices"
	"strconv"
	"strings"
)

// The metrics that a policy can track here.
const (
	metricCPU      = "ASGAverageCPUUtilization"
	metricRequests = "ALBRequestCountPerTarget"
)

const targetTracking = "TargetTrackingScaling"

// scalingPolicy keeps a metric of a group at a target.
type scalingPolicy struct {
	Name      string
	UUID      string
	Metric    string
	Label     string // of metricRequests: the load balancer and the target group
	Target    float64
	NoScaleIn bool
	Disabled  bool
	Warmup    *int // seconds
}

func scalingPolicyActions() map[string]handler {
	return map[string]handler{
		"DeletePolicy":     deletePolicy,
		"DescribePolicies": describePolicies,
		"PutScalingPolicy": putScalingPolicy,
	}
}

func (p *scalingPolicy) arn(g *scalingGroup) string {
	return arn("autoscaling", g.Region, "scalingPolicy:"+p.UUID+":autoScalingGroupName/"+g.Name+":policyName/"+p.Name)
}

type alarmItem struct {
	Name string `xml:"AlarmName"`
	ARN  string `xml:"AlarmARN"`
}

// alarm is the name of one of the two alarms of a policy. There is no service
// here that would tell more of them.
func (p *scalingPolicy) alarm(g *scalingGroup, which string) alarmItem {
	name := "TargetTracking-" + g.Name + "-Alarm" + which + "-" + p.UUID
	return alarmItem{name, arn("cloudwatch", g.Region, "alarm:"+name)}
}

func (p *scalingPolicy) alarms(g *scalingGroup) []alarmItem {
	return []alarmItem{p.alarm(g, "High"), p.alarm(g, "Low")}
}

func putScalingPolicy(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	p := &scalingPolicy{Name: r.need("PolicyName"), UUID: newRequestID(), Disabled: !isTrueOr(r.boolean("Enabled"), true)}
	if kind := r.text("PolicyType"); kind != targetTracking {
		r.problem(invalid("The local cloud has scaling policies of the type %s only, not '%s'", targetTracking, kind))
	}
	p.Warmup = readCount(r, "EstimatedInstanceWarmup")
	c.readTracking(r.at("TargetTrackingConfiguration"), p)
	if err := firstOf(r.checked(), err, g.goes()); err != nil {
		return nil, err
	}
	if p.Metric == metricRequests && !g.hasTargets(p.targetGroup(g.Region)) {
		return nil, invalid("The load balancer does not route traffic to the target group, or the group is not attached to the Auto Scaling group.")
	}
	for _, old := range g.Policies {
		if old.Name == p.Name {
			p.UUID = old.UUID
		}
	}
	g.Policies = append(slices.DeleteFunc(slices.Clone(g.Policies), func(old *scalingPolicy) bool { return old.Name == p.Name }), p)
	return struct {
		ARN    string      `xml:"PolicyARN"`
		Alarms []alarmItem `xml:"Alarms>member"`
	}{p.arn(g), p.alarms(g)}, nil
}

func (c *Cloud) readTracking(r *request, p *scalingPolicy) {
	value, err := strconv.ParseFloat(r.need("TargetValue"), 64)
	if err == nil && value <= 0 {
		r.problem(invalid("The target value must be above 0"))
	}
	p.Target, p.NoScaleIn = value, isTrue(r.boolean("DisableScaleIn"))
	spec := r.at("PredefinedMetricSpecification")
	p.Metric, p.Label = spec.text("PredefinedMetricType"), spec.text("ResourceLabel")
	switch {
	case p.Metric != metricCPU && p.Metric != metricRequests:
		r.problem(invalid("The local cloud measures %s and %s only, not '%s'", metricCPU, metricRequests, p.Metric))
	case p.Metric == metricRequests && p.targetGroup(r.region) == "":
		r.problem(invalid("The resource label '%s' is not of the form app/NAME/ID/targetgroup/NAME/ID", p.Label))
	}
}

// targetGroup is the ARN of the target group in a policy's label, "" when the
// label has none.
func (p *scalingPolicy) targetGroup(region string) string {
	parts := strings.Split(p.Label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" {
		return ""
	}
	return arn("elasticloadbalancing", region, strings.Join(parts[3:], "/"))
}

// findPolicy is the place of a policy that is named by its name or its ARN.
func (g *scalingGroup) findPolicy(name string) int {
	return slices.IndexFunc(g.Policies, func(p *scalingPolicy) bool { return p.Name == name || p.arn(g) == name })
}

func deletePolicy(c *Cloud, r *request) (any, error) {
	name, group := r.need("PolicyName"), r.text("AutoScalingGroupName")
	if err := r.checked(); err != nil {
		return nil, err
	}
	for _, g := range c.scalingGroupsIn(r.region) {
		if at := g.findPolicy(name); at >= 0 && (group == "" || group == g.Name) {
			g.Policies = slices.Delete(slices.Clone(g.Policies), at, at+1)
			return done{}, nil
		}
	}
	return nil, invalid("No such policy: %s", name)
}

type policyItem struct {
	Group    string       `xml:"AutoScalingGroupName"`
	Name     string       `xml:"PolicyName"`
	ARN      string       `xml:"PolicyARN"`
	Type     string       `xml:"PolicyType"`
	Warmup   *int         `xml:"EstimatedInstanceWarmup"`
	Alarms   []alarmItem  `xml:"Alarms>member"`
	Tracking trackingItem `xml:"TargetTrackingConfiguration"`
	Enabled  bool         `xml:"Enabled"`
}

type trackingItem struct {
	Metric    string  `xml:"PredefinedMetricSpecification>PredefinedMetricType"`
	Label     string  `xml:"PredefinedMetricSpecification>ResourceLabel,omitempty"`
	Target    float64 `xml:"TargetValue"`
	NoScaleIn bool    `xml:"DisableScaleIn"`
}

func describePolicies(c *Cloud, r *request) (any, error) {
	group, names, types := r.text("AutoScalingGroupName"), r.members("PolicyNames"), r.members("PolicyTypes")
	if group != "" {
		if _, err := c.findScalingGroup(r); err != nil {
			return nil, err
		}
	}
	var all []policyItem
	for _, g := range c.scalingGroupsIn(r.region) {
		for _, p := range g.Policies {
			named := len(names) == 0 || slices.Contains(names, p.Name) || slices.Contains(names, p.arn(g))
			if group != "" && group != g.Name || !named || len(types) > 0 && !slices.Contains(types, targetTracking) {
				continue
			}
			all = append(all, policyItem{
				Group: g.Name, Name: p.Name, ARN: p.arn(g), Type: targetTracking, Warmup: p.Warmup, Alarms: p.alarms(g),
				Tracking: trackingItem{p.Metric, p.Label, p.Target, p.NoScaleIn}, Enabled: !p.Disabled,
			})
		}
	}
	page, next, err := recordsOf(r, all, 100)
	return struct {
		Policies  []policyItem `xml:"ScalingPolicies>member"`
		NextToken string       `xml:"NextToken,omitempty"`
	}{page, next}, err
}
