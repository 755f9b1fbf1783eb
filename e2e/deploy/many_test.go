package deploy

import (
	"flag"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/e2e/load"
)

var (
	releases = flag.Int("releases", 0, "how many releases in a row TestManyReleases makes; it takes 150 seconds for each")
	rate     = flag.Float64("rate", 1000, "requests a second in TestManyReleases")
)

// How long TestManyReleases looks before a release and in all.
const (
	steady = 30 * time.Second
	lasts  = 120 * time.Second
)

// TestManyReleases: releases in a row under a heavy load, none of which users
// notice: not by a failed request, and hardly by the time that answers take.
func TestManyReleases(t *testing.T) {
	if *releases == 0 {
		t.Skip("without -releases")
	}
	p := newPlace(t, "many")
	p.Watch, p.Drain = 10*time.Second, 35*time.Second // slow answers take 30 s
	p.release(t, version(t))
	c := load.Config{Rate: *rate, New: 0.02, Post: 0.1, Slow: 5, SlowFor: 30 * time.Second, WebSockets: 20}
	for range *releases {
		image := version(t)
		var released, over time.Time
		report := p.underLoad(t, c, func() {
			began := time.Now()
			time.Sleep(steady)
			released = time.Now()
			r, err := p.deployer(t, "anna@laptop").Run(t.Context(), p.Environment, deploy.Wanted{Image: image})
			if err != nil {
				t.Fatal(explained(err))
			}
			over = time.Now()
			t.Logf("release %d took %v", r.Release.Number, r.Took)
			time.Sleep(lasts - time.Since(began))
		})
		spotless(t, report)
		if want := int(*rate * 100); report.Requests() < want {
			t.Errorf("%d requests, want %d", report.Requests(), want)
		}
		before, meanwhile := report.Quantile(0.99, report.Began.Add(5*time.Second), released), report.Quantile(0.99, released, over)
		t.Logf("p99 %v before the release, %v meanwhile", before, meanwhile)
		if *strict && meanwhile > before*3/2 {
			t.Errorf("p99 was %v in the release, and %v before", meanwhile, before)
		}
	}
}
