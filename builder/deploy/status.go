package deploy

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Status is how an environment is.
type Status struct {
	// Address is the load balancer's name in DNS; "" before setup.
	Address string `json:"address"`
	// Serving has the traffic; nil before the first release.
	Serving *Serving `json:"serving"`
	// Warm can be gone back to at once.
	Warm []Serving `json:"warm,omitempty"`
	// Unfinished is what the next release, or imago gc, will finish or take down.
	Unfinished []Serving `json:"unfinished,omitempty"`
}

// Status reads how an environment is. It changes nothing.
func (d *Deployer) Status(ctx context.Context, e Environment) (Status, error) {
	now, err := d.look(ctx, e)
	if err != nil || now.balancer == nil {
		return Status{}, err
	}
	st := Status{Address: aws.ToString(now.balancer.DNSName)}
	warm := now.warm()
	for _, u := range now.units {
		s, err := d.servingOf(ctx, u)
		if err != nil {
			return st, err
		}
		switch {
		case u == now.serving():
			st.Serving = &s
		case slices.Contains(warm, u):
			st.Warm = append(st.Warm, s)
		default:
			st.Unfinished = append(st.Unfinished, s)
		}
	}
	for _, all := range [][]Serving{st.Warm, st.Unfinished} {
		slices.SortFunc(all, func(a, b Serving) int { return cmp.Compare(b.Number, a.Number) })
	}
	return st, nil
}

func (d *Deployer) servingOf(ctx context.Context, u *unit) (Serving, error) {
	s := Serving{Release: u.Release, Weight: u.weight, Retire: u.retire}
	if u.group == nil || u.target == "" {
		return s, nil
	}
	h, err := d.healthOf(ctx, &next{name: aws.ToString(u.group.AutoScalingGroupName), target: u.target})
	s.Desired, s.InService, s.Healthy = h.desired, h.inService, h.healthy
	return s, err
}

// Over are the releases that Tidy would take down now. It changes nothing.
func (d *Deployer) Over(ctx context.Context, e Environment) ([]Release, error) {
	now, err := d.look(ctx, e)
	if err != nil {
		return nil, err
	}
	var all []Release
	for _, u := range now.leftovers(time.Now()) {
		all = append(all, u.Release)
	}
	for _, number := range now.orphans() {
		all = append(all, now.versions[number].Release)
	}
	return all, nil
}

// Releases are all that can be gone back to, the newest first.
func (d *Deployer) Releases(ctx context.Context, e Environment) ([]Release, error) {
	now, err := d.look(ctx, e)
	if err != nil {
		return nil, err
	}
	var all []Release
	for n, v := range now.versions {
		if now.released(n) {
			all = append(all, v.Release)
		}
	}
	slices.SortFunc(all, func(a, b Release) int { return cmp.Compare(b.Number, a.Number) })
	return all, nil
}
