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
	served   int64  // the newest release that has been in service, as far as it is noted
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
	idle   time.Time // since when it has no traffic
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
func (s *state) warm() []*unit { return s.idle((*unit).warm) }

// unmarked is those of them that are not marked for their end: a run was killed
// before it could do so.
func (s *state) unmarked() []*unit {
	return s.idle(func(u *unit) bool { return u.warm() && u.retire.IsZero() })
}

// leftovers is what serves no more, or never did: what a run that was killed has
// left, what has been warm for long enough, and all that is warm but the newest.
func (s *state) leftovers(now time.Time) []*unit {
	warm := s.warm()
	return s.idle(func(u *unit) bool {
		over := !u.retire.IsZero() && !now.Before(u.retire)
		return !u.warm() || over || u != warm[0]
	})
}

// idle is the releases without traffic that something is true of. The one that
// had it last comes first; then the newest.
func (s *state) idle(is func(*unit) bool) []*unit {
	var all []*unit
	for _, u := range s.units {
		if u.weight == 0 && is(u) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *unit) int {
		return cmp.Or(boolCompare(a.idle.IsZero(), b.idle.IsZero()), b.idle.Compare(a.idle), cmp.Compare(b.Number, a.Number))
	})
	return all
}

// boolCompare has true before false.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// orphans is the launch template versions that never were in service and have
// nothing else: a run was killed right after it had made them.
func (s *state) orphans() []int64 {
	var all []int64
	for n := range s.versions {
		if n > s.served && s.units[n] == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// untidy says whether there is something to clean up, or to put as the environment says.
func (s *state) untidy(e Environment) bool {
	if len(s.leftovers(time.Now()))+len(s.unmarked())+len(s.orphans()) > 0 {
		return true
	}
	u := s.serving()
	return u != nil && (len(u.rules) > 0 || !u.retire.IsZero() || u.Number > s.served || !u.bounded(e))
}

// warm says whether a release can be gone back to at once, should it be healthy.
func (u *unit) warm() bool { return u.listed && u.group != nil && u.desired() > 0 }

// served says whether it shows of a release that it has been in service: the
// listener has it, or it is marked for its end.
func (u *unit) served() bool { return u.listed || !u.retire.IsZero() }

// bounded says whether a release's group has the environment's bounds. Who knows
// the environment by its tags alone does not know them.
func (u *unit) bounded(e Environment) bool {
	return u.group == nil || e.Max == 0 || int(aws.ToInt32(u.group.MinSize)) == e.Min && int(aws.ToInt32(u.group.MaxSize)) == max(e.Max, u.desired())
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
