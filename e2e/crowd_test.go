package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var crowd = flag.Int("crowd", 10, "how many bakes TestCrowd does at once")

// machinesAtOnce is how many machines of a crowd's run at a time: each needs memory.
const machinesAtOnce = "8"

// TestCrowd: many bakes in one process. It stays small, and below what AWS
// allows of each action.
func TestCrowd(t *testing.T) {
	leavesNothing(t)
	gate := newGate(t, cloud.export(t, "AWS_ENDPOINT_URL"))
	dir := write(t, "t.json", many(*crowd, admin+fmt.Sprintf(`, "custom_endpoint_ec2": %q`, gate.URL)))
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), cloud.bin, "build", "--json", "--parallel-builds", machinesAtOnce, "t.json")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, cloud.environ(), &stdout, &stderr
	cmd.Run() // its exit code says how it went
	r := result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	for _, img := range reported(t, r, *crowd).Images {
		removeImage(t, img.ID)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok || usage.Maxrss > 300<<10 {
		t.Errorf("imago took %d KiB of memory", usage.Maxrss)
	}
	busiest, over := gate.busiest()
	for _, o := range over {
		t.Error(o)
	}
	t.Logf("%d bakes, %s machines at once: %d MiB of memory at most, %d calls, the most in a second: %s", *crowd, machinesAtOnce, usage.Maxrss>>10, len(gate.calls), busiest)
}

// gate is an endpoint before the cloud's that remembers when each action was called.
type gate struct {
	*httptest.Server
	mu    sync.Mutex
	calls []called
}

type called struct {
	action string
	at     time.Time
}

func newGate(t *testing.T, endpoint string) *gate {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0) // of callers that have gone
	proxy := &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // which is signed
	}}
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil {
			g.mu.Lock()
			g.calls = append(g.calls, called{form.Get("Action"), at})
			g.mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// published is what AWS allows of an action: so many calls at once, and so many
// a second from then on ("Request throttling for the Amazon EC2 API").
func published(action string) (atOnce, perSecond float64) {
	switch {
	case action == "RunInstances":
		return 5, 2
	case strings.HasPrefix(action, "Describe"):
		return 50, 10 // 100 and 20 of those that filter or paginate
	}
	return 50, 5
}

// busiest is the action that was called most often within a second, and the
// calls that AWS would have refused. What leaves in time may arrive together: a
// second's worth is let pass.
func (g *gate) busiest() (most string, over []string) {
	tokens, last, count := map[string]float64{}, map[string]time.Time{}, map[string]int{}
	for _, c := range g.calls {
		atOnce, perSecond := published(c.action)
		if _, known := last[c.action]; !known {
			tokens[c.action] = atOnce + perSecond
		} else {
			tokens[c.action] = min(atOnce+perSecond, tokens[c.action]+c.at.Sub(last[c.action]).Seconds()*perSecond)
		}
		last[c.action] = c.at
		if tokens[c.action]--; tokens[c.action] < 0 {
			over = append(over, fmt.Sprintf("%s is called too often for AWS at %v", c.action, c.at))
		}
		key := c.action + c.at.Format(" at 15:04:05")
		count[key]++
		if count[key] > count[most] {
			most = key
		}
	}
	return fmt.Sprintf("%d x %s", count[most], most), over
}
