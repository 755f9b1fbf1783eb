package retention

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Pruner takes away the images of an account that are beyond a policy's bound, in
// each of some regions by itself: a copy is an image of its own there.
type Pruner struct {
	// InRegion returns a region. Required.
	InRegion func(region string) Cloud

	// Regions are those to look in. Required.
	Regions []string

	// Policy says what goes. Required.
	Policy Policy

	// OnImage is told of each image that should go, once it has gone; or has stayed, when it is in
	// use after all; or could not be taken away. It is called from one goroutine at a
	// time. Optional.
	OnImage func(Decision, error)

	telling sync.Mutex
}

// Result is what a prune did, or would do.
type Result struct {
	Decisions []Decision
	Orphans   []Snapshot // that an earlier prune has left

	stale []Snapshot // marks of a prune that was killed, on snapshots of images that stay
}

// Plan says what would go now, and what would stay, and why. It changes nothing.
// Without knowing all that is in use it says nothing: then the error has a *DeniedError.
func (p *Pruner) Plan(ctx context.Context) (Result, error) {
	plans, err := p.plans(ctx, p.removers())
	return join(plans), err
}

// Prune takes away what Plan says, and returns what has gone. What could not be
// taken away is in the error, a *builder.LeakError each; the next prune does. It may run
// beside builds, releases and other prunes: each image is looked at once more just before it goes.
func (p *Pruner) Prune(ctx context.Context) (Result, error) {
	all := p.removers()
	done, err := p.plans(ctx, all)
	if err != nil {
		return Result{}, err
	}
	err = p.each(func(i int) error { return all[i].remove(ctx, &done[i]) })
	return join(done), err
}

// removers are one for each region.
func (p *Pruner) removers() []*remover {
	all := make([]*remover, len(p.Regions))
	for i, region := range p.Regions {
		all[i] = &remover{looking: looking{cloud: p.InRegion(region), region: region}, pruner: p, gone: map[string]bool{}}
	}
	return all
}

// plans are one for each region, or an error.
func (p *Pruner) plans(ctx context.Context, all []*remover) ([]Result, error) {
	if err := p.Policy.Validate(); err != nil {
		return nil, err
	}
	plans := make([]Result, len(all))
	err := p.each(func(i int) (err error) {
		plans[i], err = all[i].plan(ctx, p.Policy)
		return err
	})
	if err != nil {
		return nil, err
	}
	return plans, nil
}

// each does something in all regions at the same time.
func (p *Pruner) each(do func(i int) error) error {
	all := make([]func() error, len(p.Regions))
	for i := range all {
		all[i] = func() error { return do(i) }
	}
	return together(all...)
}

// plan is Plan for one region. Who else may use an image is asked only of those
// that would go otherwise: it takes a call each.
func (l *looking) plan(ctx context.Context, policy Policy) (Result, error) {
	now := time.Now()
	inv, err := l.all(ctx)
	if err != nil {
		return Result{}, err
	}
	var asks []func() error
	for _, d := range Removed(Plan(inv, policy, now)) {
		i := slices.IndexFunc(inv.Images, func(img Image) bool { return img.ID == d.ID })
		asks = append(asks, func() (err error) {
			inv.Images[i].SharedWith, err = l.shares(ctx, d.Image)
			return err
		})
	}
	if err := together(asks...); err != nil {
		return Result{}, err
	}
	r := Result{Decisions: Plan(inv, policy, now), Orphans: Orphans(inv)}
	r.stale = staleMarks(inv, r.Decisions)
	return r, nil
}

func join(all []Result) (sum Result) {
	for _, r := range all {
		sum.Decisions = append(sum.Decisions, r.Decisions...)
		sum.Orphans = append(sum.Orphans, r.Orphans...)
	}
	return sum
}

// tell tells of an image.
func (p *Pruner) tell(d Decision, err error) {
	p.telling.Lock()
	defer p.telling.Unlock()
	if p.OnImage != nil {
		p.OnImage(d, err)
	}
}
