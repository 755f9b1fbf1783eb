package deploy

import (
	"cmp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// state is all there is of an environment in AWS, as one look found it.
type state struct {
	balancer *elbtypes.LoadBalancer
	listener *elbtypes.Listener
	template string // id of the launch template; "" before the first release
	// units are the releases that have anything beside their launch template
	// version, by number; versions are all that can be gone back to.
	units    map[int64]*unit
	versions map[int64]version
}

// unit is what a release has while it is in service, warm, or half made.
type unit struct {
	version
	group  *astypes.AutoScalingGroup
	target string   // ARN of the target group; "" when it has none
	rules  []string // ARNs of the listener's rules that send to it
	listed bool     // the listener's default names the target group
	weight int32
	retire time.Time // when a release that served before is taken down
}

// version is a release as its launch template version says it.
type version struct {
	Release
	config string // hash of what it is launched with, beside the image
}

// serving is the release that has the traffic; nil when none has.
func (s *state) serving() *unit {
	var best *unit
	for _, u := range s.units {
		if u.weight > 0 && (best == nil || u.weight > best.weight) {
			best = u
		}
	}
	return best
}

// warm is the releases that can be gone back to at once, the newest first.
func (s *state) warm() []*unit {
	var all []*unit
	for _, u := range s.units {
		if u.weight == 0 && !u.retire.IsZero() && u.group != nil && u.target != "" {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *unit) int { return b.retire.Compare(a.retire) })
	return all
}

// leftovers is what serves no more, or never did: what a run that was killed has
// left, and what has been warm for long enough. The oldest come first.
func (s *state) leftovers(now time.Time) []*unit {
	var all []*unit
	for _, u := range s.units {
		if u.weight == 0 && (!u.served() || !u.retire.IsZero() && !now.Before(u.retire)) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *unit) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// unmarked is the releases that have served and are not marked for their end: a
// run was killed before it could do so.
func (s *state) unmarked() []*unit {
	var all []*unit
	for _, u := range s.units {
		if u.weight == 0 && u.served() && u.retire.IsZero() {
			all = append(all, u)
		}
	}
	return all
}

// untidy says whether there is something to clean up, or to put as the environment says.
func (s *state) untidy(e Environment) bool {
	if len(s.leftovers(time.Now()))+len(s.unmarked()) > 0 {
		return true
	}
	u := s.serving()
	return u != nil && (len(u.rules) > 0 || !u.retire.IsZero() || !u.bounded(e))
}

// served says whether a release has ever been in service: only then the listener
// has it, or it is marked for its end.
func (u *unit) served() bool { return u.listed || !u.retire.IsZero() }

// bounded says whether a release's group has the environment's bounds.
func (u *unit) bounded(e Environment) bool {
	return u.group == nil || int(aws.ToInt32(u.group.MinSize)) == e.Min && int(aws.ToInt32(u.group.MaxSize)) == max(e.Max, u.desired())
}

// same says whether a release is what is wanted.
func (u *unit) same(e Environment, w Wanted) bool {
	return u.Image == w.Image && u.config == e.config() && u.group != nil
}

// desired is how many machines a release wants now.
func (u *unit) desired() int {
	if u == nil || u.group == nil {
		return 0
	}
	return int(aws.ToInt32(u.group.DesiredCapacity))
}
