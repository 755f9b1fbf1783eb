package balancer

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"
)

// The states of a target, by AWS's names.
const (
	Initial   = "initial"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
	Unused    = "unused"
	Draining  = "draining"
)

// Health is how a target is, as AWS says it.
type Health struct {
	ID          string
	Addr        netip.AddrPort
	State       string
	Reason      string // such as Target.ResponseCodeMismatch; "" of a healthy one
	Description string
	// InFlight is how many requests and WebSockets it has.
	InFlight int64
}

// target is one machine of a group. What is not atomic is guarded by the group.
type target struct {
	id       string
	addr     netip.AddrPort
	ctx      context.Context // ends when what is in flight is cut off
	cut      context.CancelFunc
	inFlight atomic.Int64
	wake     chan struct{} // the next check, or the end of the draining, is to be looked at

	state               string
	reason, description string
	good, bad           int       // checks in a row
	draining            time.Time // since when; zero: it does not
}

func newTarget(ctx context.Context, id string, addr netip.AddrPort) *target {
	t := &target{id: id, addr: addr, wake: make(chan struct{}, 1)}
	t.ctx, t.cut = context.WithCancel(ctx)
	t.forget()
	return t
}

// forget has the target begin as if it had just been registered.
func (t *target) forget() {
	t.state, t.good, t.bad = Initial, 0, 0
	t.reason, t.description = "Elb.InitialHealthChecking", "Initial health checks in progress"
	t.hurry()
}

// hurry has the target looked at now.
func (t *target) hurry() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *target) report(used bool) Health {
	h := Health{ID: t.id, Addr: t.addr, State: t.state, Reason: t.reason, Description: t.description, InFlight: t.inFlight.Load()}
	switch {
	case !t.draining.IsZero():
		h.State, h.Reason, h.Description = Draining, "Target.DeregistrationInProgress", "Target deregistration is in progress"
	case !used:
		h.State, h.Reason = Unused, "Target.NotInUse"
		h.Description = "Target group is not configured to receive traffic from the load balancer"
	}
	return h
}

// learn counts the outcome of a check: the first good one makes a new target
// healthy, later it takes as many in a row as the group's thresholds say.
func (t *target) learn(o outcome, check HealthCheck) {
	if o.reason == "" {
		t.good, t.bad = t.good+1, 0
		if t.state == Initial || t.good >= check.Healthy {
			t.state, t.reason, t.description = Healthy, "", ""
		}
		return
	}
	t.good, t.bad = 0, t.bad+1
	if t.bad >= check.Unhealthy {
		t.state = Unhealthy
	}
	if t.state != Healthy {
		t.reason, t.description = o.reason, o.description
	}
}
