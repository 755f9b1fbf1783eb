package deploy

import (
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/deploy"
)

// TestReleases: releases in a row, going back to the one before, and to one that
// is not warm any more, without a failed request.
func TestReleases(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "releases")
	images := []string{version(t), version(t), version(t)}
	there := p.besides(t, images[0])
	alikes := there()
	p.release(t, images[0])
	p.unchanged(t, images[0])
	var back time.Time
	report := p.underLoad(t, light(), func() {
		p.release(t, images[1])
		p.release(t, images[2])
		time.Sleep(time.Second)
		back = time.Now()
		p.rollback(t, 0)
		time.Sleep(time.Second)
	})
	spotless(t, report)
	p.serves(t, 2, images[1])
	within(t, "to have all traffic back", report.LastBy(images[2]).Sub(back), 5*time.Second)
	report = p.underLoad(t, light(), func() { p.rollback(t, 1) })
	spotless(t, report)
	p.serves(t, 4, images[0])
	if err := p.deployer(t, "anna@laptop").Tidy(t.Context(), p.Environment); err != nil {
		t.Error(err)
	}
	untouched(t, there, alikes)
	if err := p.infra.Destroy(t.Context(), p.Environment); err != nil {
		t.Error(err)
	}
	untouched(t, there, alikes)
}

// rollback goes back, and fails the test when that fails.
func (p *place) rollback(t *testing.T, number int64) deploy.Result {
	t.Helper()
	r, err := p.deployer(t, "anna@laptop").Rollback(t.Context(), p.Environment, number)
	if err != nil {
		t.Fatalf("rollback: %s", explained(err))
	}
	return r
}

// serves holds that a release serves whole, that at most one is warm, and that nothing is unfinished.
func (p *place) serves(t *testing.T, number int64, image string) deploy.Status {
	t.Helper()
	st, err := deployerAt("").Status(after(t), p.Environment)
	if err != nil {
		t.Fatal(err)
	}
	s := st.Serving
	if s == nil || s.Number != number || s.Image != image || s.Healthy < p.Min || s.Desired != s.InService || s.Healthy != s.InService {
		t.Errorf("%+v serves, want release %d of %s", s, number, image)
	}
	if len(st.Warm) > 1 || len(st.Unfinished) > 0 {
		t.Errorf("warm: %+v; unfinished: %+v", st.Warm, st.Unfinished)
	}
	return st
}
