package balancer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HealthCheck is how a group asks its targets how they are.
type HealthCheck struct {
	Path     string        // and query
	Port     uint16        // 0: the one of the target
	Interval time.Duration // between two checks
	Timeout  time.Duration // of one
	// Healthy and Unhealthy are how many outcomes in a row change a target's state.
	Healthy, Unhealthy int
	// Matcher is the status codes of a healthy target, such as "200" or "200-299,404".
	Matcher string
}

// outcome is what a check found: what is wrong, or nothing.
type outcome struct{ reason, description string }

// newChecker does not follow redirections, and does not keep connections.
func newChecker() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// watch checks a target until it has drained, or the group is closed.
func (g *Group) watch(t *target) {
	defer t.cut()
	for {
		wait := g.look(t)
		if wait <= 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-g.ctx.Done():
			timer.Stop()
			return
		case <-t.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// look is one round of watch. It returns how long until the next; 0 when the target has gone.
func (g *Group) look(t *target) time.Duration {
	g.mu.Lock()
	config, draining, used := g.config, t.draining, g.used
	g.mu.Unlock()
	if !draining.IsZero() {
		left := time.Until(draining.Add(config.DeregistrationDelay))
		if left <= 0 && g.drop(t) {
			return 0
		}
		return max(left, time.Millisecond)
	}
	if !used {
		return time.Hour // Use wakes it
	}
	found := config.Check.ask(g.ctx, g.checker, t.addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used && t.draining.IsZero() {
		t.learn(found, config.Check)
	}
	return config.Check.Interval
}

// drop removes a target whose draining is over; not one that was taken back meanwhile.
func (g *Group) drop(t *target) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.draining.IsZero() {
		return false
	}
	g.targets = slices.DeleteFunc(g.targets, func(other *target) bool { return other == t })
	return true
}

// ask asks a target once.
func (h HealthCheck) ask(ctx context.Context, checker *http.Client, addr netip.AddrPort) outcome {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	if h.Port != 0 {
		addr = netip.AddrPortFrom(addr.Addr(), h.Port)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr.String()+h.Path, nil)
	if err != nil {
		return outcome{"Target.FailedHealthChecks", "Health checks failed"}
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	resp, err := checker.Do(req)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return outcome{"Target.Timeout", "Request timed out"}
	case err != nil:
		return outcome{"Target.FailedHealthChecks", "Health checks failed"}
	}
	resp.Body.Close()
	if !Matches(h.Matcher, resp.StatusCode) {
		return outcome{"Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", resp.StatusCode)}
	}
	return outcome{}
}

// Matches says whether a status code is among those of a matcher, which are
// separated by commas; each is one code or a range.
func Matches(matcher string, code int) bool {
	for part := range strings.SplitSeq(matcher, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		low, err1 := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err1 == nil && err2 == nil && low <= code && code <= high {
			return true
		}
	}
	return false
}
