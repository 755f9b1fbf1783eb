package retention

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

var histories = flag.Int("histories", 300, "how many random histories TestHistories lives through")

// TestHistories lets applications be baked, launched, released, shared and pruned
// in random order, with calls that fail and people who launch in between, and
// holds each step of a prune against what must be true of it, said in other words
// than the plan's own. A last prune without trouble must reach the bound.
func TestHistories(t *testing.T) {
	seed := rand.Uint64()
	var gone, spared int
	for n := range *histories {
		h := newHistory(rand.New(rand.NewPCG(seed, uint64(n))))
		h.live(t)
		if err := h.end(t); err != nil || len(h.wrong) > 0 {
			t.Fatalf("history %d of seed %d: %v %q\npolicy %+v\n%q", n, seed, err, h.wrong, h.policy, h.calls)
		}
		gone, spared = gone+h.gone, spared+h.spared
	}
	if gone < *histories || spared < *histories {
		t.Errorf("%d images went and %d were spared in %d histories, which is not much of a test", gone, spared, *histories)
	}
}

// history is an account, and what is true of it.
type history struct {
	account
	*rand.Rand
	policy Policy
	clock  time.Time
	serial int
	facts  map[string]fact // by image
	own    []string        // snapshots of the user's own
	racing bool
	lives  int // calls until a prune is killed
	wrong  []string
	gone   int
	spared int
}

// fact is what the test knows of an image because it made it.
type fact struct {
	family   *family
	ours     bool
	finished bool
	envs     []string
	parent   string
	born     time.Time
}

// family is a line of images that replace each other.
type family struct {
	application string
	tags        []types.Tag
	managed     bool // has the tag of a policy by tags
	name        func(h *history) string
}

const self = "123456789012"

func families() []*family {
	unix := func(h *history) int64 { return h.clock.Unix() }
	iso := func(h *history) string { return h.clock.UTC().Format("2006-01-02T15-04-05Z") }
	return []*family{
		{application: "shop", tags: awsTags("imago:application", "shop", "imago:image", "web"), name: func(h *history) string { return fmt.Sprint("shop web ", unix(h)) }},
		{application: "shop", tags: awsTags("imago:application", "shop", "imago:image", "base"), name: func(h *history) string { return fmt.Sprint("shop base ", unix(h)) }},
		{name: func(h *history) string { return fmt.Sprint("node18-", unix(h)) }, managed: true, tags: awsTags("Managed", "node")},
		{name: func(h *history) string { return fmt.Sprint("node20-", unix(h)) }, tags: awsTags("Managed", "nodes")},
		{name: func(h *history) string { return "api/" + iso(h) + "/arm" }},
		{name: func(h *history) string {
			return fmt.Sprintf("api/%08x-0000-4000-8000-00000000000%x", h.Uint32(), h.IntN(16))
		}},
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func newHistory(r *rand.Rand) *history {
	h := &history{Rand: r, clock: time.Now().Add(-30 * 24 * time.Hour), facts: map[string]fact{}}
	h.perms, h.volumes = map[string][]types.LaunchPermission{}, map[string][]types.CreateVolumePermission{}
	h.versions, h.parameters = map[string][]types.LaunchTemplateVersion{}, map[string]string{}
	h.policy = Policy{Bound: Bound{Keep: r.IntN(4), Age: time.Duration(r.IntN(4)) * 5 * 24 * time.Hour}}
	if h.policy.None() {
		h.policy.Keep = 1
	}
	switch r.IntN(6) {
	case 0:
		h.policy.Environment = "production"
	case 1:
		h.policy.Application = "shop"
	case 2:
		h.policy.Tags = map[string]string{"Managed": "node"}
	}
	return h
}

// live is the history: things happen, and prunes run in bad weather.
func (h *history) live(t *testing.T) {
	all := families()
	h.watch = h.observe
	for range 3 {
		for range 5 + h.IntN(25) {
			h.happen(all)
		}
		h.racing = true
		h.fails, h.lives = h.weather, 1<<30
		if h.IntN(3) == 0 {
			h.lives = h.IntN(150)
		}
		h.prune(t)
		h.racing, h.fails = false, nil
	}
}

func (h *history) prune(t *testing.T) (Result, error) {
	p := &Pruner{InRegion: func(string) Cloud { return h.cloud() }, Regions: []string{"us-east-1"}, Policy: h.policy}
	r, err := p.Prune(t.Context())
	for _, d := range r.Decisions {
		if d.Spared {
			h.spared++
		}
	}
	return r, err
}

// weather has one call in thirty go wrong, one in sixty only after it has done its
// work; and one prune in three is killed at some call.
func (h *history) weather(action string) (before, after error) {
	if h.lives--; h.lives < 0 {
		return errors.New("killed"), nil
	}
	switch h.IntN(60) {
	case 0:
		return apiError("InternalError"), nil
	case 1:
		return nil, apiError("InternalError")
	case 2:
		if action == "DeregisterImage" || action == "DeleteSnapshot" || action == "CreateTags" || action == "DeleteTags" {
			return apiError("UnauthorizedOperation"), nil
		}
	}
	return nil, nil
}

func (h *history) id(kind string) string {
	h.serial++
	return fmt.Sprintf("%s-%d", kind, h.serial)
}

// happen is one event.
func (h *history) happen(all []*family) {
	h.clock = h.clock.Add(time.Duration(1+h.IntN(12)) * time.Hour)
	switch h.IntN(12) {
	default:
		h.bake(pick(h.Rand, all...))
	case 6:
		h.need(h.any())
	case 7: // somebody ends what needed an image
		if n := len(h.instances); n > 0 {
			h.instances[h.IntN(n)].State.Name = types.InstanceStateNameTerminated
		}
	case 8:
		clear(h.perms)
		h.groups, h.configs = nil, nil
	case 9:
		h.own = append(h.own, h.id("snap"))
		h.snapshots = append(h.snapshots, types.Snapshot{SnapshotId: aws.String(h.own[len(h.own)-1])})
	case 10:
		h.templates = nil
	}
}

// any is an image, or nil.
func (h *history) any() *types.Image {
	if len(h.images) == 0 {
		return nil
	}
	return &h.images[h.IntN(len(h.images))]
}

// bake makes an image of a family; one in six is not quite imago's, or not whole.
func (h *history) bake(f *family) {
	fact := fact{family: f, ours: true, finished: true, born: h.clock}
	tags := slices.Concat(f.tags, awsTags("imago:build", "0123456789ab", "imago:expires", "never"))
	if f.application != "" {
		if fact.envs = pick(h.Rand, nil, []string{"staging"}, []string{"production"}, []string{"production", "staging"}); fact.envs != nil {
			value := fact.envs[0]
			if len(fact.envs) == 2 {
				value += " " + fact.envs[1]
			}
			tags = append(tags, awsTags("imago:environment", value)...)
		}
	}
	state := types.ImageStateAvailable
	switch h.IntN(30) {
	case 0:
		tags, fact.ours = untagged(tags, "imago:build"), false
	case 1:
		tags, fact.ours = append(untagged(tags, "imago:build"), awsTags("imago:build", pick(h.Rand, "0123456789AB", "mine", ""))...), false
	case 2:
		state, fact.finished = pick(h.Rand, types.ImageStatePending, types.ImageStateFailed, types.ImageStateDisabled), false
	case 3:
		tags, fact.finished = append(tags, awsTags("imago:draft-of", "web")...), false
	case 4:
		tags, fact.finished = append(untagged(tags, "imago:expires"), awsTags("imago:expires", time.Now().Add(time.Hour).Format(time.RFC3339))...), false
	}
	snapshots := []string{h.id("snap")}
	parent := h.any()
	if parent != nil && h.IntN(4) == 0 { // of the same snapshots
		snapshots = append(snapshots, snapshotsOf(*parent)[0])
	}
	from := ""
	if parent != nil && h.IntN(3) == 0 {
		from = *parent.ImageId
	}
	img := h.add(h.id("ami"), f.name(h), h.clock, tags, snapshots...)
	img.State = state
	if fact.parent = from; from != "" && h.IntN(2) == 0 {
		img.Tags = append(img.Tags, awsTags("imago:inputs", "1 imago=0 source="+from+" options=1 steps=2")...)
	} else if from != "" {
		img.SourceImageId, img.SourceImageRegion = &from, pick(h.Rand, nil, aws.String("us-east-1"))
	}
	h.facts[*img.ImageId] = fact
}

// need lets something need an image from now on.
func (h *history) need(img *types.Image) {
	if img == nil {
		return
	}
	id := *img.ImageId
	switch h.IntN(9) {
	case 0, 1:
		state := pick(h.Rand, types.InstanceStateNamePending, types.InstanceStateNameRunning, types.InstanceStateNameStopped)
		h.instances = append(h.instances, types.Instance{InstanceId: aws.String(h.id("i")), ImageId: &id, State: &types.InstanceState{Name: state}})
	case 2:
		h.template(id)
	case 3:
		name := h.id("/images/web")
		h.parameters[name] = id
		h.template("resolve:ssm:" + name)
	case 4:
		h.configs = append(h.configs, Configuration{h.id("lc"), id})
	case 5:
		h.groups = append(h.groups, AutoScalingGroup{Name: h.id("asg"), Images: []string{id}})
	case 6:
		h.perms[id] = append(h.perms[id], pick(h.Rand, types.LaunchPermission{UserId: aws.String("111122223333")},
			types.LaunchPermission{Group: types.PermissionGroupAll}, types.LaunchPermission{OrganizationArn: aws.String("arn:aws:organizations::1:organization/o-1")},
			types.LaunchPermission{UserId: aws.String(self)}))
	case 7:
		s := snapshotsOf(*img)[0]
		h.volumes[s] = append(h.volumes[s], types.CreateVolumePermission{UserId: aws.String("111122223333")})
	case 8:
		img.DeregistrationProtection = aws.String(pick(h.Rand, "enabled-without-cooldown", "enabled-with-cooldown", "disabled"))
	}
}

// template makes a launch template of an image, or a version more of one.
func (h *history) template(image string) {
	if len(h.templates) == 0 || h.IntN(2) == 0 {
		id := h.id("lt")
		h.templates = append(h.templates, types.LaunchTemplate{
			LaunchTemplateId: &id, LaunchTemplateName: aws.String("name of " + id), DefaultVersionNumber: aws.Int64(1), LatestVersionNumber: aws.Int64(0),
		})
	}
	t := &h.templates[h.IntN(len(h.templates))]
	t.LatestVersionNumber = aws.Int64(*t.LatestVersionNumber + 1)
	h.versions[*t.LaunchTemplateId] = append(h.versions[*t.LaunchTemplateId], types.LaunchTemplateVersion{
		LaunchTemplateId: t.LaunchTemplateId, LaunchTemplateName: t.LaunchTemplateName, VersionNumber: t.LatestVersionNumber,
		LaunchTemplateData: &types.ResponseLaunchTemplateData{ImageId: &image},
	})
}
