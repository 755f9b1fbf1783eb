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
	warm := s.warm()
	for _, u := range s.units {
		if u.weight > 0 || slices.Contains(warm, u) && now.Before(u.retire) {
			continue
		}
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *unit) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// untidy says whether there is something to clean up.
func (s *state) untidy() bool {
	if len(s.leftovers(time.Now())) > 0 {
		return true
	}
	u := s.serving()
	return u != nil && (len(u.rules) > 0 || !u.retire.IsZero())
}

// served says whether a release has ever been in service: only then it is marked for its end.
func (u *unit) served() bool { return u.weight > 0 || !u.retire.IsZero() }

// same says whether a release is what is wanted.
func (u *unit) same(e Environment, w Wanted) bool {
	g := u.group
	return u.Image == w.Image && u.config == e.config() && g != nil &&
		int(aws.ToInt32(g.MinSize)) == e.Min && int(aws.ToInt32(g.MaxSize)) == max(e.Max, int(aws.ToInt32(g.DesiredCapacity)))
}

// desired is how many machines a release wants now.
func (u *unit) desired() int {
	if u == nil || u.group == nil {
		return 0
	}
	return int(aws.ToInt32(u.group.DesiredCapacity))
}
