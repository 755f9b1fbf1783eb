package localcloud

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// scalingGroup is an Auto Scaling group. The scaler brings it where it is to be.
type scalingGroup struct {
	Name    string
	Region  string
	UUID    string // in its ARN
	Created time.Time

	Min, Max, Desired int
	Launch            launchChoice
	Subnets           []string // ids; in the place of Zones
	Zones             []string
	HealthTypes       []string // EC2, ELB
	Grace             int      // seconds
	Cooldown          int      // seconds
	Warmup            *int     // seconds, of an instance, for scaling policies
	Lifetime          int      // seconds, only shown
	Termination       []string // policies
	ProtectNew        bool
	Rebalance         bool // only shown: no spot instance is interrupted here
	Context           string
	Tags              map[string]groupTag
	Suspended         map[string]time.Time // processes, and since when
	Targets           []attachedTargets
	Hooks             []*lifecycleHook
	Policies          []*scalingPolicy
	Members           []*groupMember // the oldest first

	Deleting  bool
	Why       string    // what changed the desired capacity, as AWS puts it
	Differs   time.Time // since when there are more or fewer than desired
	Scaled    time.Time // when the capacity was last changed
	Unhealthy int       // how many are to be replaced
	Failures  int       // launches that failed, one after the other
	RetryAt   time.Time
	Stuck     bool // it cannot shrink, and has said so
}

type groupTag struct {
	Value     string
	Propagate bool // to what the group launches
}

// attachedTargets is a target group that a scaling group registers its
// instances in.
type attachedTargets struct {
	ARN     string
	Removed bool // it goes, as soon as the targets have
}

// The states of a member, by AWS's names.
const (
	memberPending         = "Pending"
	memberPendingWait     = "Pending:Wait"
	memberInService       = "InService"
	memberTerminating     = "Terminating"
	memberTerminatingWait = "Terminating:Wait"
)

// groupMember is an instance in a group.
type groupMember struct {
	ID        string // of the instance
	Type      string
	Zone      string
	SubnetID  string
	Spot      bool
	Template  templateRef // with the number of the version
	State     string
	Protected bool
	Unhealthy bool
	Condemned time.Time // by SetInstanceHealth: unhealthy from then on
	Sick      time.Time // since when it has been failing its checks
	Joined    time.Time
	Ran       time.Time
	Entered   time.Time // in service
	Targets   []string  // ARNs of where it is registered
	Holds     []hold
	Activity  string // the one that is in progress
}

// leaving says whether the member counts no more.
func (m *groupMember) leaving() bool {
	return m.State == memberTerminating || m.State == memberTerminatingWait
}

// capacity is how many members count.
func (g *scalingGroup) capacity() int {
	n := 0
	for _, m := range g.Members {
		if !m.leaving() {
			n++
		}
	}
	return n
}

func (g *scalingGroup) isSuspended(process string) bool {
	_, found := g.Suspended[process]
	return found
}

func (g *scalingGroup) arn() string {
	return arn("autoscaling", g.Region, "autoScalingGroup:"+g.UUID+":autoScalingGroupName/"+g.Name)
}

func (g *scalingGroup) find(instance string) *groupMember {
	for _, m := range g.Members {
		if m.ID == instance {
			return m
		}
	}
	return nil
}

// scalingKey is a group's place in the state.
func scalingKey(region, name string) string { return "autoscaling/" + region + "/" + name }

func scalingActions() map[string]handler {
	all := map[string]handler{
		"CreateAutoScalingGroup":              createScalingGroup,
		"DeleteAutoScalingGroup":              deleteScalingGroup,
		"DescribeAccountLimits":               describeScalingLimits,
		"DescribeAutoScalingGroups":           describeScalingGroups,
		"DescribeAutoScalingInstances":        describeScalingInstances,
		"DescribeLaunchConfigurations":        describeLaunchConfigurations,
		"DescribeScalingActivities":           describeScalingActivities,
		"ResumeProcesses":                     resumeProcesses,
		"SetDesiredCapacity":                  setDesiredCapacity,
		"SetInstanceHealth":                   setInstanceHealth,
		"SetInstanceProtection":               setInstanceProtection,
		"SuspendProcesses":                    suspendProcesses,
		"TerminateInstanceInAutoScalingGroup": terminateInScalingGroup,
		"UpdateAutoScalingGroup":              updateScalingGroup,
	}
	for _, family := range []map[string]handler{scalingTargetActions(), scalingTagActions(), scalingPolicyActions(), hookActions()} {
		maps.Copy(all, family)
	}
	return all
}

func invalid(format string, args ...any) *fault { return faultf("ValidationError", format, args...) }

// findScalingGroup is the group of a request's AutoScalingGroupName.
func (c *Cloud) findScalingGroup(r *request) (*scalingGroup, error) {
	name := r.need("AutoScalingGroupName")
	g := c.state.ScalingGroups[scalingKey(r.region, name)]
	if g == nil {
		return nil, noScalingGroup(name)
	}
	return g, nil
}

func noScalingGroup(name string) *fault {
	return invalid("AutoScalingGroup name not found - AutoScalingGroup '%s' not found", name)
}

// scalingGroupsIn is the groups of a region, by name.
func (c *Cloud) scalingGroupsIn(region string) []*scalingGroup {
	all := inRegion(c.state.ScalingGroups, region, func(g *scalingGroup) string { return g.Region })
	slices.SortFunc(all, func(a, b *scalingGroup) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// memberOf is the group that an instance is in, and its place there.
func (c *Cloud) memberOf(region, id string) (*scalingGroup, *groupMember, error) {
	for _, g := range c.scalingGroupsIn(region) {
		if m := g.find(id); m != nil {
			return g, m, nil
		}
	}
	return nil, nil, invalid("Instance Id not found - No managed instance found for instance ID: %s", id)
}

// isoTime is a time as AWS writes it in the cause of an activity.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// done is the answer of actions that only do.
type done struct{}
