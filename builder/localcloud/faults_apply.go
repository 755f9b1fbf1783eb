package localcloud

import (
	"context"
	"maps"
	"net"
	"net/http"
	"time"
)

// withFaults answers a call, or lets happen to it what the fault rules say:
// every call of AWS's comes through here.
func (c *Cloud) withFaults(w http.ResponseWriter, r *http.Request, service string, call *request, serve func(http.ResponseWriter)) {
	call.struck = c.strike(call, r.Header.Get("X-Amz-Security-Token"))
	lost := false // the answer, not the effect
	for _, rule := range call.struck {
		c.log.Info("a fault rule strikes", "action", call.action, "region", call.region, "rule", rule)
		if sleep(r.Context(), time.Duration(rule.Delay)) != nil {
			return // the caller has gone
		}
		switch {
		case rule.Error != "":
			refuse(w, r, service, w.Header().Get("X-Amzn-Requestid"), rule.fault())
			return
		case rule.Reset == resetBefore:
			reset(w)
			return
		}
		lost = lost || rule.Reset == resetAfter
	}
	if !lost {
		serve(w)
		return
	}
	serve(unheard{maps.Clone(w.Header())})
	reset(w)
}

// strike finds the rules that a call meets. Without rules it costs nothing.
func (c *Cloud) strike(call *request, token string) []FaultRule {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.faults.rules) == 0 {
		return nil
	}
	return c.faults.strike(call.action, token, c.placesOf(call))
}

// clock is what time it is for AWS's callers, who hear of it when a fault file
// has set it wrong.
func (c *Cloud) clock(w http.ResponseWriter) time.Time {
	c.mu.Lock()
	ahead := c.faults.clock
	c.mu.Unlock()
	now := c.now().Add(ahead)
	if ahead != 0 {
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	}
	return now
}

// reset ends a connection with an RST and without an answer, as a router does
// that has lost it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // another server's than ours, such as one of HTTP/2
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // without it the end is a FIN, and no answer all the same
	}
	conn.Close() //nolint:errcheck // it is over
}

// unheard takes an answer that nobody gets.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header       { return u.header }
func (unheard) Write(b []byte) (int, error) { return len(b), nil }
func (unheard) WriteHeader(int)             {}

// sleep waits, unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
