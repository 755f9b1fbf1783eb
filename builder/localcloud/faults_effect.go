package localcloud

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// rehearsed is an action in whose effect the fault rules have a say: it does
// not see what is not known yet, and what it makes may be afflicted.
func rehearsed(do handler) handler {
	return func(c *Cloud, r *request) (any, error) {
		reveal, err := c.conceal(r)
		if err != nil {
			return nil, err
		}
		defer reveal()
		before := c.beforeEffect(r)
		answer, err := do(c, r)
		if err == nil {
			c.afflict(r, before)
		}
		return answer, err
	}
}

// effect is what there was before an action.
type effect struct {
	there map[string]bool
	tags  map[string]map[string]string // of what a CreateTags or DeleteTags names
}

// beforeEffect looks only when a rule struck: few calls need it.
func (c *Cloud) beforeEffect(r *request) effect {
	if len(r.struck) == 0 {
		return effect{}
	}
	c.networkOf(r.region) // no call makes it
	before := effect{there: c.there(), tags: map[string]map[string]string{}}
	if r.action == "CreateTags" || r.action == "DeleteTags" {
		all := c.taggedIn(r.region)
		for _, id := range r.list("ResourceId") {
			if one, found := all[id]; found {
				before.tags[id] = *one.tags // the action will make another map
			}
		}
	}
	return before
}

// there is every resource: by id, a key pair by region and name.
func (c *Cloud) there() map[string]bool {
	all := map[string]bool{}
	for _, keys := range [][]string{
		sortedKeys(c.state.Instances), sortedKeys(c.state.Images), sortedKeys(c.state.Snapshots),
		sortedKeys(c.state.Volumes), sortedKeys(c.state.Groups), sortedKeys(c.state.KeyPairs),
		sortedKeys(c.state.LaunchTemplates), sortedKeys(c.state.LaunchVersions),
		sortedKeys(c.state.Vpcs), sortedKeys(c.state.Subnets), sortedKeys(c.state.Gateways), sortedKeys(c.state.RouteTables),
		sortedKeys(c.state.ScalingGroups),
	} {
		for _, key := range keys {
			all[key] = true
		}
	}
	return all
}

// afflict lets the rules that struck have their way with what a call made. The
// background jobs that the call began wait for c.mu, and see it.
func (c *Cloud) afflict(r *request, before effect) {
	if len(r.struck) == 0 {
		return
	}
	made := c.there()
	maps.DeleteFunc(made, func(key string, _ bool) bool { return before.there[key] })
	for _, rule := range r.struck {
		if rule.Consistency != 0 {
			c.keepUnknown(made, before.tags, c.now().Add(time.Duration(rule.Consistency)))
		}
		if slices.Contains(machineActions(rule.Machine), r.action) {
			c.trouble(r, made, rule)
		}
		if rule.Result == failed && slices.Contains(resultActions(), r.action) {
			c.doom(made, rule)
		}
	}
}

// trouble gives the machines that a call launches or names what is wrong.
func (c *Cloud) trouble(r *request, made map[string]bool, rule FaultRule) {
	named := r.list("InstanceId")
	for id, inst := range c.state.Instances {
		if made[id] || slices.Contains(named, id) {
			inst.Trouble.add(rule)
		}
	}
}

// doomed is a resource in the making that will not end well.
type doomed struct {
	after   time.Duration
	message string
}

// doom marks the images that a call makes, and the snapshots it makes for
// themselves: those of an image end with it.
func (c *Cloud) doom(made map[string]bool, rule FaultRule) {
	end := doomed{time.Duration(rule.After), rule.Message}
	if end.message == "" {
		end.message = "An internal error has occurred"
	}
	var images, others []string
	for id := range made {
		switch {
		case c.state.Images[id] != nil:
			images = append(images, id)
		case c.state.Snapshots[id] != nil:
			others = append(others, id)
		}
	}
	if len(images) == 0 {
		images = others
	}
	for _, id := range images {
		c.doomed[id] = end
	}
}

// ripen waits until a resource has taken as long to reach a state as it is to,
// and is the error that a fault rule has for it.
func (c *Cloud) ripen(ctx context.Context, id, state string, since time.Time) error {
	c.mu.Lock()
	end, isDoomed := c.doomed[id]
	delete(c.doomed, id)
	c.mu.Unlock()
	if err := firstOf(c.delay(ctx, state, since), sleep(ctx, end.after)); err != nil || !isDoomed {
		return err
	}
	return errors.New(end.message)
}
