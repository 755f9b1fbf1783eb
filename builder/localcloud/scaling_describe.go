package localcloud

import "slices"

type scalingGroupItem struct {
	Name         string             `xml:"AutoScalingGroupName"`
	ARN          string             `xml:"AutoScalingGroupARN"`
	Template     *templateRefItem   `xml:"LaunchTemplate"`
	Mixed        *mixedItem         `xml:"MixedInstancesPolicy"`
	Min          int                `xml:"MinSize"`
	Max          int                `xml:"MaxSize"`
	Desired      int                `xml:"DesiredCapacity"`
	Cooldown     int                `xml:"DefaultCooldown"`
	Zones        []string           `xml:"AvailabilityZones>member"`
	Targets      []string           `xml:"TargetGroupARNs>member"`
	HealthType   string             `xml:"HealthCheckType"`
	Grace        int                `xml:"HealthCheckGracePeriod"`
	Instances    []memberItem       `xml:"Instances>member"`
	Created      string             `xml:"CreatedTime"`
	Suspended    []suspendedItem    `xml:"SuspendedProcesses>member"`
	Subnets      string             `xml:"VPCZoneIdentifier"`
	Status       string             `xml:"Status,omitempty"`
	Tags         []groupTagItem     `xml:"Tags>member"`
	Termination  []string           `xml:"TerminationPolicies>member"`
	ProtectNew   bool               `xml:"NewInstancesProtectedFromScaleIn"`
	Role         string             `xml:"ServiceLinkedRoleARN"`
	Lifetime     int                `xml:"MaxInstanceLifetime,omitempty"`
	Rebalance    bool               `xml:"CapacityRebalance"`
	Context      string             `xml:"Context,omitempty"`
	CapacityType string             `xml:"DesiredCapacityType,omitempty"`
	Warmup       *int               `xml:"DefaultInstanceWarmup"`
	Traffic      []trafficSourceRef `xml:"TrafficSources>member"`
}

type suspendedItem struct {
	Process string `xml:"ProcessName"`
	Reason  string `xml:"SuspensionReason"`
}

func (c *Cloud) scalingGroupItem(g *scalingGroup) scalingGroupItem {
	item := scalingGroupItem{
		Name: g.Name, ARN: g.arn(), Min: g.Min, Max: g.Max, Desired: g.Desired, Cooldown: g.Cooldown,
		Zones: c.zonesOfGroup(g), HealthType: joinIDs(g.HealthTypes), Grace: g.Grace, Created: stamp(g.Created),
		Subnets: joinIDs(g.Subnets), Tags: g.tagItems(), Termination: g.Termination, ProtectNew: g.ProtectNew,
		Role:     "arn:aws:iam::" + accountID + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
		Lifetime: g.Lifetime, Rebalance: g.Rebalance, Context: g.Context, Warmup: g.Warmup,
	}
	if g.Deleting {
		item.Status = "Delete in progress"
	}
	if g.Launch.Mixed {
		item.Mixed = &mixedItem{templateRefItem(g.Launch.Template), g.Launch.Overrides, g.Launch.Distribution}
	} else {
		item.Template = new(templateRefItem(g.Launch.Template))
	}
	for _, t := range g.Targets {
		if !t.Removed {
			item.Targets = append(item.Targets, t.ARN)
			item.Traffic = append(item.Traffic, trafficSourceRef{t.ARN, trafficType})
		}
	}
	for _, m := range g.Members {
		item.Instances = append(item.Instances, m.item())
	}
	for _, process := range sortedKeys(g.Suspended) {
		item.Suspended = append(item.Suspended, suspendedItem{process, "User suspended at " + isoTime(g.Suspended[process])})
	}
	return item
}

// zonesOfGroup is the zones of a group's subnets.
func (c *Cloud) zonesOfGroup(g *scalingGroup) []string {
	zones := slices.Clone(g.Zones)
	for _, id := range g.Subnets {
		if s := c.state.Subnets[id]; s != nil && !slices.Contains(zones, s.Zone) {
			zones = append(zones, s.Zone)
		}
	}
	return zones
}

func describeScalingGroups(c *Cloud, r *request) (any, error) {
	names := r.members("AutoScalingGroupNames")
	all := slices.DeleteFunc(c.scalingGroupsIn(r.region), func(g *scalingGroup) bool {
		return len(names) > 0 && !slices.Contains(names, g.Name)
	})
	chosen, err := choose(r.scalingFilters(), all, (*scalingGroup).plainTags, attributes[*scalingGroup]{
		"tag-value": func(g *scalingGroup) (values []string) {
			for _, tag := range g.Tags {
				values = append(values, tag.Value)
			}
			return values
		},
	})
	if err != nil {
		return nil, err
	}
	page, next, err := recordsOf(r, chosen, 100)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Groups    []scalingGroupItem `xml:"AutoScalingGroups>member"`
		NextToken string             `xml:"NextToken,omitempty"`
	}
	answer.NextToken = next
	for _, g := range page {
		answer.Groups = append(answer.Groups, c.scalingGroupItem(g))
	}
	return answer, nil
}

// scalingFilters are the Filters of a Describe call of Auto Scaling.
func (r *request) scalingFilters() filters {
	var all filters
	for _, item := range r.eachMember("Filters") {
		all = append(all, filter{name: item.need("Name"), values: item.members("Values")})
	}
	return all
}

// describeLaunchConfigurations has nothing to list: new accounts cannot make any.
func describeLaunchConfigurations(_ *Cloud, r *request) (any, error) {
	r.members("LaunchConfigurationNames")
	_, _, err := recordsOf(r, []string(nil), 100)
	return struct {
		Configurations struct{} `xml:"LaunchConfigurations"`
	}{}, err
}

func describeScalingLimits(c *Cloud, r *request) (any, error) {
	return struct {
		MaxGroups         int `xml:"MaxNumberOfAutoScalingGroups"`
		MaxConfigurations int `xml:"MaxNumberOfLaunchConfigurations"`
		Groups            int `xml:"NumberOfAutoScalingGroups"`
		Configurations    int `xml:"NumberOfLaunchConfigurations"`
	}{500, 200, len(c.scalingGroupsIn(r.region)), 0}, r.checked()
}
