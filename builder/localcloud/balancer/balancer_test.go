package balancer_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// server is a target that says its name, on the way to /wait when it is let go.
type server struct {
	name   string
	addr   netip.AddrPort
	status atomic.Int64 // of /health
	let    chan struct{}
	mu     sync.Mutex
	last   http.Header
}

func newServer(t *testing.T, name string) *server {
	s := &server{name: name, let: make(chan struct{})}
	s.status.Store(200)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.addr = netip.MustParseAddrPort(h.Listener.Addr().String())
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health":
		w.WriteHeader(int(s.status.Load()))
	case "/wait":
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-s.let
	case "/silent":
		<-r.Context().Done()
		return
	case "/echo":
		s.echo(w)
		return
	}
	if r.URL.Path == "/" {
		s.mu.Lock()
		s.last = r.Header
		s.mu.Unlock()
	}
	io.WriteString(w, s.name)
}

// echo is a WebSocket as far as a load balancer can tell: after the upgrade, bytes in both directions.
func (s *server) echo(w http.ResponseWriter) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	io.Copy(conn, buf)
}

// quick is a configuration with checks every few milliseconds.
func quick() balancer.GroupConfig {
	return balancer.GroupConfig{
		Check: balancer.HealthCheck{
			Path: "/health", Interval: 5 * time.Millisecond, Timeout: 5 * time.Second, Healthy: 2, Unhealthy: 2, Matcher: "200-299",
		},
		DeregistrationDelay: time.Hour,
	}
}

func newGroup(t *testing.T, config balancer.GroupConfig, servers ...*server) *balancer.Group {
	g := balancer.NewGroup(config)
	t.Cleanup(g.Close)
	g.Use(true)
	for _, s := range servers {
		g.Register(s.name, s.addr)
	}
	return g
}

// listen listens on a free port and passes everything on by weight.
func listen(t *testing.T, idle time.Duration, to ...balancer.Weighted) (*balancer.Listener, string) {
	t.Helper()
	l, err := balancer.Listen(balancer.ListenerConfig{Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Idle: idle})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		l.Close(ctx)
	})
	l.Route([]balancer.Rule{{Action: balancer.Action{Forward: to}}})
	return l, "http://" + l.Addrs()[0].String()
}

// states waits until the targets of a group are in these states.
func states(t *testing.T, g *balancer.Group, want ...string) {
	t.Helper()
	var got []string
	for range 2000 {
		got = nil
		for _, h := range g.Health() {
			got = append(got, h.State)
		}
		if slices.Equal(got, want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("the targets are %q, want %q", got, want)
}

// get is the status and the body of an answer.
func get(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if to := resp.Header.Get("Location"); to != "" {
		return resp.StatusCode, to
	}
	return resp.StatusCode, string(body)
}

// who asks n times and counts who answers.
func who(t *testing.T, url string, n int) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for range n {
		status, body := get(t, url)
		if status != 200 {
			body = fmt.Sprint(status)
		}
		counts[body]++
	}
	return counts
}

// TestHealth: a target goes from initial to healthy with its first good check,
// is unhealthy after as many bad ones as the group says, and comes back; a group
// behind no listener asks nobody.
func TestHealth(t *testing.T) {
	a := newServer(t, "a")
	g := newGroup(t, quick(), a)
	states(t, g, balancer.Healthy)
	a.status.Store(500)
	states(t, g, balancer.Unhealthy)
	want := []balancer.Health{{ID: "a", Addr: a.addr, State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: "Health checks failed with these codes: [500]"}}
	if diff := cmp.Diff(want, g.Health(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	a.status.Store(204)
	states(t, g, balancer.Healthy)
	g.Use(false)
	states(t, g, balancer.Unused)
	gone := netip.MustParseAddrPort("127.0.0.1:1")
	g.Use(true)
	g.Register("gone", gone)
	states(t, g, balancer.Healthy, balancer.Unhealthy)
	if got := g.Health()[1].Reason; got != "Target.FailedHealthChecks" {
		t.Errorf("the reason is %s", got)
	}
}

// TestTurns: healthy targets take turns, the unhealthy get nothing, and when
// all are unhealthy all get something.
func TestTurns(t *testing.T) {
	a, b, c := newServer(t, "a"), newServer(t, "b"), newServer(t, "c")
	c.status.Store(500)
	g := newGroup(t, quick(), a, b, c)
	_, url := listen(t, time.Minute, balancer.Weighted{Group: g, Weight: 1})
	states(t, g, "healthy", "healthy", "unhealthy")
	if diff := cmp.Diff(map[string]int{"a": 10, "b": 10}, who(t, url, 20)); diff != "" {
		t.Error(diff)
	}
	a.status.Store(500)
	b.status.Store(500)
	states(t, g, "unhealthy", "unhealthy", "unhealthy")
	if diff := cmp.Diff(map[string]int{"a": 10, "b": 10, "c": 10}, who(t, url, 30)); diff != "" {
		t.Error(diff)
	}
	if got := g.Requests(); got != 50 {
		t.Errorf("%d requests are counted, want 50", got)
	}
}

// TestWeights: requests are shared by weight, and who has none gets none.
func TestWeights(t *testing.T) {
	a, b := newServer(t, "a"), newServer(t, "b")
	one, two := newGroup(t, quick(), a), newGroup(t, quick(), b)
	l, url := listen(t, time.Minute, balancer.Weighted{Group: one, Weight: 90}, balancer.Weighted{Group: two, Weight: 10})
	states(t, one, "healthy")
	states(t, two, "healthy")
	// 4000 draws at 10 %: nine standard deviations are 171.
	if got := who(t, url, 4000); got["a"]+got["b"] != 4000 || got["b"] < 229 || got["b"] > 571 {
		t.Errorf("%v, want 3600 and 400", got)
	}
	l.Route([]balancer.Rule{{Action: balancer.Action{Forward: []balancer.Weighted{{Group: one}, {Group: two, Weight: 1}}}}})
	if diff := cmp.Diff(map[string]int{"b": 20}, who(t, url, 20)); diff != "" {
		t.Error(diff)
	}
	l.Route([]balancer.Rule{{Action: balancer.Action{Forward: []balancer.Weighted{{Group: one}}}}})
	if diff := cmp.Diff(map[string]int{"503": 3}, who(t, url, 3)); diff != "" {
		t.Error(diff)
	}
}

// TestDraining: a draining target gets requests as long as the lag, finishes
// what it has, and is cut off when the delay is over.
func TestDraining(t *testing.T) {
	a, b := newServer(t, "a"), newServer(t, "b")
	config := quick()
	config.Lag = time.Hour
	g := newGroup(t, config, a, b)
	_, url := listen(t, time.Minute, balancer.Weighted{Group: g, Weight: 1})
	states(t, g, "healthy", "healthy")
	g.Deregister("a", a.addr.Port())
	states(t, g, "draining", "healthy")
	if diff := cmp.Diff(map[string]int{"a": 5, "b": 5}, who(t, url, 10)); diff != "" {
		t.Errorf("in the lag: %s", diff)
	}
	config.Lag = 0
	g.Configure(config)
	if diff := cmp.Diff(map[string]int{"b": 10}, who(t, url, 10)); diff != "" {
		t.Errorf("after the lag: %s", diff)
	}
	g.Deregister("b", b.addr.Port())
	if diff := cmp.Diff(map[string]int{"503": 3}, who(t, url, 3)); diff != "" {
		t.Errorf("with nobody left: %s", diff)
	}
	g.Register("b", b.addr)
	states(t, g, "draining", "healthy")

	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		resp, err := http.Get(url + "/wait")
		if err != nil {
			begun <- struct{}{}
			ended <- err
			return
		}
		defer resp.Body.Close()
		begun <- struct{}{}
		_, err = io.ReadAll(resp.Body)
		ended <- err
	}()
	<-begun
	g.Deregister("b", b.addr.Port())
	states(t, g, "draining", "draining")
	if got := g.Health()[1].InFlight; got != 1 {
		t.Errorf("%d requests are in flight, want 1", got)
	}
	close(b.let)
	if err := <-ended; err != nil {
		t.Errorf("what was in flight ended with %v", err)
	}
}

// TestCutOff: what is in flight when the draining is over does not go on.
func TestCutOff(t *testing.T) {
	a := newServer(t, "a")
	defer close(a.let)
	config := quick()
	config.DeregistrationDelay = 50 * time.Millisecond
	g := newGroup(t, config, a)
	_, url := listen(t, time.Minute, balancer.Weighted{Group: g, Weight: 1})
	states(t, g, "healthy")
	resp, err := http.Get(url + "/wait")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	g.Deregister("a", a.addr.Port())
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the answer was complete: %q", body)
	}
	states(t, g)
}

// TestTrouble: what the load balancer says itself, by status.
func TestTrouble(t *testing.T) {
	a := newServer(t, "a")
	dead := balancer.NewGroup(quick())
	t.Cleanup(dead.Close)
	dead.Use(true)
	dead.Register("dead", netip.MustParseAddrPort("127.0.0.1:1"))
	_, silent := listen(t, 200*time.Millisecond, balancer.Weighted{Group: newGroup(t, quick(), a), Weight: 1})
	_, refused := listen(t, time.Minute, balancer.Weighted{Group: dead, Weight: 1})
	_, nobody := listen(t, time.Minute, balancer.Weighted{Group: newGroup(t, quick()), Weight: 1})
	for url, want := range map[string]int{silent + "/silent": 504, refused: 502, nobody: 503} {
		if got, body := get(t, url); got != want || !strings.Contains(body, fmt.Sprintf("<h1>%d ", want)) {
			t.Errorf("%s: %d %s, want %d", url, got, body, want)
		}
	}
}

// TestHeaders: what a target learns of the client.
func TestHeaders(t *testing.T) {
	a := newServer(t, "a")
	g := newGroup(t, quick(), a)
	l, url := listen(t, time.Minute, balancer.Weighted{Group: g, Weight: 1})
	states(t, g, "healthy")
	get(t, url, "X-Forwarded-For", "203.0.113.9", "X-Amzn-Trace-Id", "Root=1-0-0")
	a.mu.Lock()
	defer a.mu.Unlock()
	want := map[string]string{
		"X-Forwarded-For": "203.0.113.9, 127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "",
		"X-Forwarded-Port": fmt.Sprint(l.Addrs()[0].Port()), "X-Amzn-Trace-Id": "Root=1-0-0",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = a.last.Get(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWebSocket: both directions, until the target's draining is over.
func TestWebSocket(t *testing.T) {
	a := newServer(t, "a")
	config := quick()
	config.DeregistrationDelay = time.Millisecond
	g := newGroup(t, config, a)
	l, _ := listen(t, 100*time.Millisecond, balancer.Weighted{Group: g, Weight: 1})
	states(t, g, "healthy")
	conn, err := net.Dial("tcp", l.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v, %v", resp, err)
	}
	time.Sleep(150 * time.Millisecond) // longer than an answer may take
	for _, line := range []string{"one\n", "two\n"} {
		io.WriteString(conn, line)
		if got, err := in.ReadString('\n'); got != line {
			t.Fatalf("%q came back (%v), want %q", got, err, line)
		}
	}
	g.Deregister("a", a.addr.Port())
	if got, err := in.ReadString('\n'); err == nil {
		t.Errorf("%q came after the draining", got)
	}
}

// TestRules: the first rule whose conditions all hold.
func TestRules(t *testing.T) {
	l, url := listen(t, time.Minute)
	answer := func(text string) balancer.Action {
		return balancer.Action{Fixed: &balancer.Fixed{Status: 200, ContentType: "text/plain", Body: text}}
	}
	l.Route([]balancer.Rule{
		{Action: answer("path"), Conditions: []balancer.Condition{{Field: "path-pattern", Values: []string{"/a/?.png", "/b*"}}}},
		{Action: answer("header and query"), Conditions: []balancer.Condition{
			{Field: "http-header", Header: "X-Imago", Values: []string{"re*"}}, {Field: "query-string", Pairs: []balancer.Pair{{Key: "v", Value: "1"}}},
		}},
		{Action: answer("header"), Conditions: []balancer.Condition{{Field: "http-header", Header: "X-Imago", Values: []string{"r-7"}}}},
		{Action: answer("host"), Conditions: []balancer.Condition{{Field: "host-header", Values: []string{"*.LOCALHOST"}}}},
		{Action: balancer.Action{Redirect: &balancer.Redirect{Status: 301, Protocol: "HTTPS", Port: "443"}}, Conditions: []balancer.Condition{{Field: "http-request-method", Values: []string{"GET"}}}},
	})
	for _, tt := range []struct {
		path   string
		header []string
		want   string
	}{
		{"/a/1.png", nil, "path"},
		{"/b", nil, "path"},
		{"/?v=1", []string{"X-Imago", "Red"}, "header and query"},
		{"/?v=2", []string{"X-Imago", "r-7"}, "header"},
		{"/a/12.png?x=1", nil, "https://127.0.0.1:443/a/12.png?x=1"},
	} {
		if _, got := get(t, url+tt.path, tt.header...); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.path, tt.header, got, tt.want)
		}
	}
}
