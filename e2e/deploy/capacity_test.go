package deploy

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/e2e/load"
)

// capacity is how many healthy machines have had traffic, looked at again and again.
type capacity struct {
	mu      sync.Mutex
	samples []int
}

// sample looks each second until ctx ends.
func (c *capacity) sample(ctx context.Context, t *testing.T, p *place) {
	for ctx.Err() == nil {
		if s := p.status(t).Serving; s != nil {
			c.mu.Lock()
			c.samples = append(c.samples, s.Healthy)
			c.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// TestCapacity: when three times as many requests come in the middle of a
// release, both groups grow, and there are never fewer machines that have the
// traffic than there were.
func TestCapacity(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "capacity")
	p.Min, p.Desired, p.Max, p.RequestsPerTarget = 1, 1, 4, 300
	p.release(t, version(t))
	image := version(t)
	d := p.deployer(t, "anna@laptop")
	tell, launched := d.Notify, make(chan struct{})
	var once sync.Once
	d.Notify = func(e deploy.Event) {
		if strings.HasPrefix(e.Text, "made auto scaling group") {
			once.Do(func() { close(launched) })
		}
		tell(e)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var all sync.WaitGroup
	var c capacity
	all.Go(func() { c.sample(ctx, t, p) })
	var more *load.Report
	report := p.underLoad(t, load.Config{Rate: 4, New: 0.5}, func() {
		all.Go(func() {
			<-launched
			more = load.Run(ctx, load.Config{URL: "http://" + p.address, Rate: 8, New: 0.5})
		})
		if _, err := d.Run(t.Context(), p.Environment, deploy.Wanted{Image: image}); err != nil {
			t.Error(explained(err))
		}
		await(t, "both groups have grown", func() bool {
			st := p.status(t)
			return st.Serving.Image == image && st.Serving.Healthy >= 3 && len(st.Warm) == 1 && st.Warm[0].Desired >= 3
		})
		end()
		all.Wait()
	})
	spotless(t, report)
	spotless(t, more)
	for i := 1; i < len(c.samples); i++ {
		if c.samples[i] < c.samples[i-1] {
			t.Errorf("there were %d machines for the traffic, and then %d; by the second: %v", c.samples[i-1], c.samples[i], c.samples)
		}
	}
	t.Logf("machines that had the traffic, by the second: %v", c.samples)
}
