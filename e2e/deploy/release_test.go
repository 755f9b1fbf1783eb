package deploy

import (
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/deploy"
)

// TestReleases: releases in a row, and going back, without a failed request.
func TestReleases(t *testing.T) {
	p := newPlace(t, "releases")
	first, second := version(t), version(t)
	p.release(t, first)
	report := p.underLoad(t, light(), func() {
		p.release(t, second)
		time.Sleep(time.Second)
		began := time.Now()
		r, err := p.deployer(t, "anna@laptop").Rollback(t.Context(), p.Environment, 0)
		if err != nil {
			t.Fatalf("rollback: %s", explained(err))
		}
		t.Logf("%+v after %v", r, time.Since(began))
		time.Sleep(time.Second)
	})
	spotless(t, report)
	_ = deploy.Result{}
}
