package balancer

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// GroupConfig is how a target group treats its targets.
type GroupConfig struct {
	Check HealthCheck
	// DeregistrationDelay is how long a draining target may finish what it has
	// been asked. What is not done then is cut off. AWS's default is 300 s.
	DeregistrationDelay time.Duration
	// Lag is how long a draining target still gets new requests: on AWS up to
	// 20 s, which nobody documents and everybody meets.
	Lag time.Duration
	// LeastOutstanding sends a request to the target with the fewest in flight.
	// Otherwise they take turns.
	LeastOutstanding bool
}

// Group is a target group. Its methods may be called by anybody at any time.
type Group struct {
	ctx       context.Context // ends when the group is closed
	close     context.CancelFunc
	checks    sync.WaitGroup
	checker   *http.Client
	transport *http.Transport
	requests  atomic.Uint64

	mu      sync.Mutex
	config  GroupConfig
	targets []*target
	used    bool
	turn    int
}

// NewGroup makes a target group that is behind no listener yet.
func NewGroup(config GroupConfig) *Group {
	g := &Group{config: config, checker: newChecker(), transport: newTransport()}
	g.ctx, g.close = context.WithCancel(context.Background())
	return g
}

// Configure has effect from the next request, check and draining on.
func (g *Group) Configure(config GroupConfig) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.config = config
}

// Use says whether the group is behind a listener. One that is not is not
// checked, and the health of its targets is "unused".
func (g *Group) Use(used bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if used == g.used {
		return
	}
	g.used = used
	for _, t := range g.targets {
		t.forget()
	}
}

// Register adds a target. It is one that is there already when both its id, which
// means nothing here, and its port are; if that one drains, it is taken back.
func (g *Group) Register(id string, addr netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.find(id, addr.Port()); t != nil {
		if !t.draining.IsZero() {
			t.draining = time.Time{}
			t.forget()
		}
		return
	}
	t := newTarget(g.ctx, id, addr)
	g.targets = append(g.targets, t)
	g.checks.Go(func() { g.watch(t) })
}

// Deregister has a target drain, and go. One that is not there has gone.
func (g *Group) Deregister(id string, port uint16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.find(id, port); t != nil && t.draining.IsZero() {
		t.draining = time.Now()
		t.hurry()
	}
}

func (g *Group) find(id string, port uint16) *target {
	i := slices.IndexFunc(g.targets, func(t *target) bool { return t.id == id && t.addr.Port() == port })
	if i < 0 {
		return nil
	}
	return g.targets[i]
}

// Requests is how many requests the group's targets have had. It never goes back.
func (g *Group) Requests() uint64 { return g.requests.Load() }

// Health is that of each target, in the order in which they were registered.
func (g *Group) Health() []Health {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Health, 0, len(g.targets))
	for _, t := range g.targets {
		all = append(all, t.report(g.used))
	}
	return all
}

// Close ends the health checks, and cuts off what is in flight.
func (g *Group) Close() {
	g.close()
	g.checks.Wait()
	g.transport.CloseIdleConnections()
}

// pick chooses who gets the next request: a healthy target, or when there is
// none any that is registered. It is nil when there is nobody.
func (g *Group) pick() *target {
	g.mu.Lock()
	defer g.mu.Unlock()
	best, rank := (*target)(nil), 0
	now := time.Now()
	for i := range g.targets {
		t := g.targets[(g.turn+i)%len(g.targets)]
		r := g.rank(t, now)
		if r > rank || r == rank && best != nil && g.config.LeastOutstanding && t.inFlight.Load() < best.inFlight.Load() {
			best, rank = t, r
		}
	}
	if best == nil {
		return nil
	}
	g.turn = (slices.Index(g.targets, best) + 1) % len(g.targets)
	best.inFlight.Add(1)
	g.requests.Add(1)
	return best
}

// rank is 2 for a target that may get requests, 1 for one that gets them when
// there is no such one, and 0 for one that gets none.
func (g *Group) rank(t *target, now time.Time) int {
	switch {
	case !t.draining.IsZero() && now.Sub(t.draining) >= g.config.Lag:
		return 0
	case t.state == Healthy:
		return 2
	case !t.draining.IsZero():
		return 0
	default:
		return 1
	}
}
