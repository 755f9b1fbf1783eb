package localcloud

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeTargets are target groups without a load balancer: a test says how their
// targets do.
type fakeTargets struct {
	mu      sync.Mutex
	groups  map[string]map[string]string // health, by target group and instance
	drains  bool                         // until drained is called
	counted map[string]uint64
}

func newTargets(names ...string) (*fakeTargets, []string) {
	f := &fakeTargets{groups: map[string]map[string]string{}, counted: map[string]uint64{}}
	var arns []string
	for _, name := range names {
		id := "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/" + name + "/0123456789abcdef"
		f.groups[id] = map[string]string{}
		arns = append(arns, id)
	}
	return f, arns
}

func (f *fakeTargets) has(_, group string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups[group] != nil
}

func (f *fakeTargets) register(group, instance string) { f.set(group, instance, targetHealthy) }

func (f *fakeTargets) set(group, instance, health string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups[group][instance] = health
}

func (f *fakeTargets) deregister(group, instance string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.groups[group], instance)
	if f.drains {
		f.groups[group][instance] = targetDraining
	}
}

// drained lets go of all that drains.
func (f *fakeTargets) drained() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, group := range f.groups {
		for instance, health := range group {
			if health == targetDraining {
				delete(group, instance)
			}
		}
	}
}

func (f *fakeTargets) health(group, instance string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups[group][instance]
}

func (f *fakeTargets) requests(group string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counted[group]
}

func (f *fakeTargets) registered(group string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return sortedKeys(f.groups[group])
}

// openScaling is a cloud with target groups, a base and a launch template "web".
func openScaling(t *testing.T, rules ...FaultRule) (*testCloud, *fakeTargets, []string) {
	t.Helper()
	c := openFaulty(t, rules...)
	f, arns := newTargets("blue", "green")
	c.mu.Lock()
	c.targets = f
	c.mu.Unlock()
	c.template("web", c.base())
	return c, f, arns
}

// scaling makes a call of Auto Scaling.
func (c *testCloud) scaling(action string, pairs ...string) (int, node) {
	c.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2011-01-01"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	status, body := c.post("autoscaling", form.Encode(), nil)
	return status, parseNode(c.t, body)
}

// scale makes a call of Auto Scaling that must succeed, and is its result.
func (c *testCloud) scale(action string, pairs ...string) node {
	c.t.Helper()
	status, n := c.scaling(action, pairs...)
	if status != http.StatusOK {
		c.t.Fatalf("%s %q: %d %v", action, pairs, status, n)
	}
	return n.all(action + "Result")[0]
}

// scaleFault makes one that must fail, and is "STATUS CODE: MESSAGE".
func (c *testCloud) scaleFault(action string, pairs ...string) string {
	c.t.Helper()
	status, n := c.scaling(action, pairs...)
	if status == http.StatusOK {
		c.t.Fatalf("%s %q succeeded", action, pairs)
	}
	return fmt.Sprintf("%d %s: %s", status, n.text("Error/Code"), n.text("Error/Message"))
}

// scalingGroup makes a group of template "web" in two subnets.
func (c *testCloud) scalingGroup(name string, min, desired, max int, pairs ...string) {
	c.t.Helper()
	subnets := c.ok("DescribeSubnets").texts("subnetSet/item/subnetId")
	c.scale("CreateAutoScalingGroup", append([]string{"AutoScalingGroupName", name, "LaunchTemplate.LaunchTemplateName", "web",
		"LaunchTemplate.Version", "$Latest", "MinSize", fmt.Sprint(min), "DesiredCapacity", fmt.Sprint(desired), "MaxSize", fmt.Sprint(max),
		"VPCZoneIdentifier", subnets[0] + "," + subnets[1]}, pairs...)...)
}

// imageOf is the image of a launch template, twice.
func (c *testCloud) imageOf(template string) string {
	c.t.Helper()
	id := c.ok("DescribeLaunchTemplateVersions", "LaunchTemplateName", template).text("launchTemplateVersionSet/item/launchTemplateData/imageId")
	return id + " " + id
}

// inService waits until a group has n members in service, and none else, and is
// their ids.
func (c *testCloud) inService(name string, n int) []string {
	c.t.Helper()
	var ids []string
	eventually(c.t, fmt.Sprintf("%s has %d in service", name, n), func() bool {
		group := c.scale("DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1", name).all("AutoScalingGroups/member")[0]
		ids = group.texts("Instances/member/InstanceId")
		states := group.texts("Instances/member/LifecycleState")
		return len(ids) == n && !slices.ContainsFunc(states, func(s string) bool { return s != memberInService })
	})
	return ids
}

// activities are the causes, descriptions and statuses of a group's activities,
// the oldest first, with the times and ids taken out.
func (c *testCloud) activities(name string, ids ...string) []string {
	c.t.Helper()
	var all []string
	for _, a := range c.scale("DescribeScalingActivities", "AutoScalingGroupName", name).all("Activities/member") {
		line := a.text("StatusCode") + " | " + a.text("Description") + " | " + a.text("Cause")
		if message := a.text("StatusMessage"); message != "" {
			line += " | " + message
		}
		words := strings.Fields(line)
		for i, word := range words {
			if _, err := time.Parse("2006-01-02T15:04:05Z", word); err == nil {
				words[i] = "T"
			}
		}
		line = strings.Join(words, " ")
		for i, id := range ids {
			line = strings.ReplaceAll(line, id, fmt.Sprintf("i%d", i+1))
		}
		all = append(all, line)
	}
	slices.Reverse(all)
	return all
}
