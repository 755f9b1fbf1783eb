package builder

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// halfProfiles makes half a profile.
type halfProfiles struct{ there []Profile }

func (h *halfProfiles) CreateProfile(_ context.Context, p Profile) error {
	h.there = append(h.there, p)
	return errors.New("no network")
}

func (h *halfProfiles) DeleteProfile(context.Context, string) error {
	h.there = nil
	return nil
}

func (h *halfProfiles) Profiles(context.Context, string) ([]Profile, error) { return h.there, nil }

// TestHalfProfile: a profile of which a part was made before the network went is taken back, and no machine has it.
func TestHalfProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, profiles, cfg := newFake(), &halfProfiles{}, trivial()
		b := newBuilder(t, cloud, &fakeMachine{})
		b.Profiles, cfg.Instance.ProfilePolicy = profiles, "{}"
		_, err := b.Build(t.Context(), cfg)
		if want := "launch: create the instance profile: no network"; err == nil || err.Error() != want || len(profiles.there) > 0 {
			t.Errorf("error %v, want %s; there are %v", err, want, profiles.there)
		}
	})
}
