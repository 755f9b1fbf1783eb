package gc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// visible is how long AWS may take until it lists what it has just made
// (docs.aws.amazon.com, "Eventual consistency in the Amazon EC2 API").
const visible = time.Minute

// atOnce is how many resources of a kind are taken away at the same time.
const atOnce = 8

// removeLimit bounds how long one resource may take.
const removeLimit = 5 * time.Minute

// Collector takes away what builds left, in some regions of one account.
type Collector struct {
	// InRegion returns the EC2 of a region. Required.
	InRegion func(region string) EC2

	// Profiles has the instance profiles of builds. Optional; without it they are not looked for.
	Profiles builder.Profiles

	// Regions are those to look in. Required.
	Regions []string

	// Account is the one that the clients are of. Optional; without it, every
	// journal is believed to be of this one.
	Account string

	// Builds are what journals say. They must have been read before the
	// collection, and those that are Gone must stay so. Optional.
	Builds []Build

	// Only are the builds to collect. Optional; defaults to all.
	Only []string

	// OnRemoved is told what was taken away, and what could not be. It is called
	// from one goroutine at a time. Optional.
	OnRemoved func(Verdict, error)

	// OnWait is told that AWS may not list everything yet, and how long it may
	// take. Optional.
	OnWait func(time.Duration)
}

// Plan says what would go now, and what would stay. It changes nothing.
func (c *Collector) Plan(ctx context.Context) ([]Verdict, error) {
	found, err := c.look(ctx)
	if err != nil {
		return nil, err
	}
	return c.judge(found), nil
}

// judge is Plan for the builds that are asked for.
func (c *Collector) judge(found []Resource) []Verdict {
	return slices.DeleteFunc(Plan(found, c.Builds, time.Now()), func(v Verdict) bool { return !c.asked(v.Build) })
}

func (c *Collector) asked(build string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, build)
}

// look lists what the regions hold.
func (c *Collector) look(ctx context.Context) ([]Resource, error) {
	g, ctx := errgroup.WithContext(ctx)
	found := make([][]Resource, len(c.Regions))
	for i, region := range c.Regions {
		g.Go(func() (err error) {
			if found[i], err = look(ctx, c.InRegion(region), region); err != nil {
				return err
			}
			profiles, err := c.lookForProfiles(ctx, region)
			found[i] = append(found[i], profiles...)
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(found...), err
}

// Collect takes away what Plan says until nothing of it is left, and returns the
// builds of whose journals nothing is left to do. What could not be taken away is
// in the error, a *builder.LeakError each. It may run beside builds, and beside
// other collections.
func (c *Collector) Collect(ctx context.Context) (settled []string, err error) {
	seen, tried := sightings{}, map[string]bool{}
	var leaks []error
	for told := false; ; {
		found, err := c.look(ctx)
		if err != nil {
			return nil, errors.Join(append(leaks, err)...)
		}
		seen.add(found)
		some := slices.DeleteFunc(c.judge(found), func(v Verdict) bool { return !v.Remove || tried[key(v.Resource)] })
		for _, v := range some {
			tried[key(v.Resource)] = true
		}
		leaks = append(leaks, c.remove(ctx, some)...)
		settled, wait := c.settled(seen, time.Now())
		switch {
		case len(some) > 0: // look again: what went may have hidden more
			continue
		case wait <= 0, len(leaks) > 0:
			return c.clean(settled, leaks), errors.Join(leaks...)
		case !told && c.OnWait != nil:
			c.OnWait(wait)
			told = true
		}
		if err := poll.For(ctx, min(wait, poll.Seconds().Max)); err != nil {
			return nil, err
		}
	}
}

// key tells resources apart.
func key(r Resource) string { return r.Region + " " + r.Kind + " " + r.ID }

// remove takes resources away, kind after kind, several at once.
func (c *Collector) remove(ctx context.Context, all []Verdict) []error {
	errs := make([]error, len(all))
	var telling sync.Mutex
	for _, kind := range order {
		var g errgroup.Group
		g.SetLimit(atOnce)
		for i, v := range all {
			if v.Kind != kind {
				continue
			}
			g.Go(func() error {
				ctx, cancel := context.WithTimeoutCause(ctx, removeLimit, fmt.Errorf("not gone after %v", removeLimit))
				defer cancel()
				err := c.removeOne(ctx, v.Resource)
				if err != nil {
					errs[i] = &builder.LeakError{Resources: []string{v.String()}, Err: err}
				}
				telling.Lock()
				defer telling.Unlock()
				if c.OnRemoved != nil {
					c.OnRemoved(v, err)
				}
				return nil
			})
		}
		g.Wait()
	}
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// sightings are what looks have seen, of which kind, in which region, of which build.
type sightings map[string]bool

func (s sightings) add(found []Resource) {
	for _, r := range found {
		if id, ok := buildOf(r); ok {
			s[id+" "+r.Region+" "+r.Kind] = true
		}
	}
}

// settled are the builds that are gone and of which AWS lists all by now that
// there can be. wait is how long it may take until that is so of every one.
func (c *Collector) settled(seen sightings, now time.Time) (ids []string, wait time.Duration) {
	for _, b := range c.Builds {
		if b.State != Gone || !c.asked(b.ID) || c.foreign(b) {
			continue
		}
		longest := time.Duration(0)
		for _, t := range b.Things {
			if slices.Contains(c.Regions, t.Region) && !seen[b.ID+" "+t.Region+" "+t.Kind] {
				longest = max(longest, visible-now.Sub(t.Since))
			}
		}
		if longest <= 0 {
			ids = append(ids, b.ID)
		}
		wait = max(wait, longest)
	}
	return ids, wait
}

// foreign says whether a build worked in another account, of which nothing is seen here.
func (c *Collector) foreign(b Build) bool {
	return b.Account != "" && c.Account != "" && b.Account != c.Account
}

// clean leaves out the builds whose regions were not all looked in, and all of
// them when something is left: their journals are needed once more.
func (c *Collector) clean(settled []string, leaks []error) []string {
	if len(leaks) > 0 {
		return nil
	}
	return slices.DeleteFunc(settled, func(id string) bool {
		return slices.ContainsFunc(c.Builds, func(b Build) bool {
			return b.ID == id && slices.ContainsFunc(b.Things, func(t Thing) bool { return !slices.Contains(c.Regions, t.Region) })
		})
	})
}
