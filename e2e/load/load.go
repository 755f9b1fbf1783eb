// Package load asks a web application at a fixed rate, whatever it answers, and
// counts what went wrong. The rate does not sink when answers are late, as it
// would if the next request waited for the last: that would hide the trouble.
package load

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Config is what to ask, and how often.
type Config struct {
	// URL is that of the application, without a path.
	URL string
	// Rate is how many requests begin in a second, shared by the kinds below.
	Rate float64
	// New and Post are shares of the rate, from 0 to 1: GET requests on a
	// connection of their own, and POST requests. The rest are GET requests on
	// connections that are kept alive.
	New, Post float64
	// Slow is how many slow answers are under way all the time, each SlowFor long.
	Slow    int
	SlowFor time.Duration
	// WebSockets is how many are open all the time; each says something once a second.
	WebSockets int
	// Paths of the three kinds of answers. Default to /, /slow?seconds=N, /ws and /count.
	Path string
	// Timeout is how long an answer may take, without a slow one's own time. Defaults to 10 s.
	Timeout time.Duration
}

// Run asks until ctx ends, waits for what is under way, and reports.
func Run(ctx context.Context, c Config) *Report {
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Path == "" {
		c.Path = "/"
	}
	g := &generator{Config: c, report: newReport()}
	g.open()
	defer g.close()
	var all sync.WaitGroup
	for range c.Slow {
		all.Go(func() { g.again(ctx, g.slow) })
	}
	for range c.WebSockets {
		all.Go(func() { g.again(ctx, g.webSocket) })
	}
	if c.Rate > 0 {
		g.pace(ctx, &all)
	}
	all.Wait()
	g.report.finish()
	return g.report
}

// pace begins requests at the rate. One that is late is begun at once: the rate
// holds in the mean.
func (g *generator) pace(ctx context.Context, all *sync.WaitGroup) {
	limiter := rate.NewLimiter(rate.Limit(g.Rate), max(int(g.Rate/20), 1))
	for n := uint64(0); limiter.Wait(ctx) == nil; n++ {
		all.Go(func() { g.one(n) })
	}
}

// again does something until ctx ends.
func (g *generator) again(ctx context.Context, do func(context.Context)) {
	for ctx.Err() == nil {
		do(ctx)
	}
}
