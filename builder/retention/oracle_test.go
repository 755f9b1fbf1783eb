package retention

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// observe checks each change before it comes true; and sometimes, while an image
// is being marked, somebody begins to need it.
func (h *history) observe(action, id string) {
	switch action {
	case "CreateTags":
		for i := range h.images {
			if h.racing && slices.Contains(snapshotsOf(h.images[i]), id) && h.IntN(12) == 0 {
				h.need(&h.images[i])
			}
		}
	case "DeregisterImage":
		if h.image(id) < 0 {
			return
		}
		h.gone++
		if why := h.mustStay(id); why != "" {
			h.wrong = append(h.wrong, id+" goes, but "+why)
		}
	case "DeleteSnapshot":
		if slices.Contains(h.own, id) {
			h.wrong = append(h.wrong, id+" is the user's own")
		}
	}
}

// mustStay says why an image must not go, or "". It looks at the account itself.
func (h *history) mustStay(id string) string {
	switch f := h.facts[id]; {
	case !h.covered(id):
		return "nobody spoke of it"
	case !f.finished:
		return "it is not finished"
	case !h.beyond(id):
		return "it is within the bound"
	}
	return h.referenced(id)
}

// covered says whether the policy is about an image.
func (h *history) covered(id string) bool {
	f := h.facts[id]
	if h.policy.Tags != nil {
		return f.family.managed
	}
	return f.ours && (h.policy.Environment == "" || slices.Contains(f.envs, h.policy.Environment)) &&
		(h.policy.Application == "" || f.family.application == h.policy.Application)
}

// beyond counts, for each environment, what is newer.
func (h *history) beyond(id string) bool {
	me := h.facts[id]
	if time.Since(me.born) < h.policy.Age {
		return false
	}
	envs := me.envs
	if len(envs) == 0 || h.policy.Tags != nil {
		envs = []string{""}
	}
	for _, env := range envs {
		if h.policy.Environment != "" && env != h.policy.Environment {
			return false
		}
		newer := 0
		for _, img := range h.images {
			other := h.facts[*img.ImageId]
			same := other.family == me.family && (slices.Contains(other.envs, env) || env == "" && (len(other.envs) == 0 || h.policy.Tags != nil))
			if same && h.covered(*img.ImageId) && other.finished && other.born.After(me.born) {
				newer++
			}
		}
		if newer < h.policy.Keep || newer == 0 {
			return false
		}
	}
	return true
}

// referenced says who needs an image, or "".
func (h *history) referenced(id string) string {
	for _, i := range h.instances {
		if *i.ImageId == id && i.State.Name != types.InstanceStateNameTerminated {
			return "an instance needs it"
		}
	}
	for _, t := range h.templates {
		for _, v := range h.versions[*t.LaunchTemplateId] {
			image := *v.LaunchTemplateData.ImageId
			if image == id || h.parameters[strings.TrimPrefix(image, "resolve:ssm:")] == id {
				return "a launch template needs it"
			}
		}
	}
	for _, g := range h.groups {
		if g.Images[0] == id {
			return "an auto scaling group needs it"
		}
	}
	for _, c := range h.configs {
		if c.Image == id {
			return "a launch configuration needs it"
		}
	}
	if why := h.others(id); why != "" {
		return why
	}
	for _, img := range h.images {
		if h.facts[*img.ImageId].parent == id {
			return "it is the parent of " + *img.ImageId
		}
	}
	return ""
}

// others says whether an image is shared, or protected.
func (h *history) others(id string) string {
	img := h.images[h.image(id)]
	if slices.ContainsFunc(h.perms[id], func(p types.LaunchPermission) bool { return aws.ToString(p.UserId) != self }) {
		return "it is shared"
	}
	for _, s := range snapshotsOf(img) {
		if len(h.volumes[s]) > 0 {
			return "its snapshot is shared"
		}
	}
	if p := aws.ToString(img.DeregistrationProtection); strings.HasPrefix(p, "enabled") {
		return "it is protected"
	}
	return ""
}

// end prunes once more, in good weather, and looks at what is left.
func (h *history) end(t *testing.T) error {
	if _, err := h.prune(t); err != nil {
		return err
	}
	for _, img := range h.images {
		id := *img.ImageId
		if h.mustStay(id) == "" {
			return fmt.Errorf("%s is left, beyond the bound", id)
		}
	}
	has := map[string]bool{}
	for _, img := range h.images {
		for _, s := range snapshotsOf(img) {
			has[s] = true
		}
	}
	for _, s := range h.snapshots {
		if !has[*s.SnapshotId] && !slices.Contains(h.own, *s.SnapshotId) {
			return fmt.Errorf("%s is an orphan", *s.SnapshotId)
		}
		if marks := tagValues(s.Tags, "tag:"+TagPruned); len(marks) > 0 {
			return fmt.Errorf("%s is in use, and marked for %s", *s.SnapshotId, marks)
		}
		delete(has, *s.SnapshotId)
	}
	if len(has) > 0 {
		return fmt.Errorf("images have lost their snapshots: %v", has)
	}
	for _, id := range h.own {
		if h.snapshot(id) < 0 {
			return fmt.Errorf("the user's %s is lost", id)
		}
	}
	before := len(h.calls)
	if r, err := h.prune(t); err != nil || len(Removed(r.Decisions))+len(r.Orphans) > 0 || len(h.calls) > before {
		return fmt.Errorf("a prune after the last does something: %q, %v", h.calls[before:], err)
	}
	return nil
}
