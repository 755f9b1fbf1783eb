package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tap stands between one imago and the cloud. It names every call, and can do
// something at one of them, before the cloud sees it or after that.
type tap struct {
	server *httptest.Server
	cloud  string // the endpoint behind it

	mu     sync.Mutex
	seen   map[string]int // how often each call was made
	calls  []string       // each once, in order, but for looks that were made before
	passed string         // the last of the calls that divide a bake
	builds []string       // whose things the calls have named

	at     point
	strike func()         // what happens there; nil: nothing
	open   sync.WaitGroup // calls that the cloud has not answered
	gone   chan struct{}  // closed when imago has ended
}

// newTap starts one.
func newTap(t *testing.T, at point) *tap {
	p := &tap{cloud: cloud.export(t, "AWS_ENDPOINT_URL"), seen: map[string]int{}, at: at, gone: make(chan struct{})}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

var (
	regionOf = regexp.MustCompile(`Credential=[^/]+/\d+/([^/]+)/`)
	buildsOf = regexp.MustCompile(`imago-([0-9a-f]{12})`)
)

// name names a call. A call that changes nothing is a look, of which only the
// first of each part of the bake counts.
func (p *tap) name(r *http.Request, form url.Values) (name string, look bool) {
	action := form.Get("Action")
	name = action
	if region := regionOf.FindStringSubmatch(r.Header.Get("Authorization")); region != nil {
		name += " " + region[1]
	}
	if look = strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get"); look && p.passed != "" {
		name += " after " + p.passed
	}
	if slices.Contains([]string{"RunInstances", "StopInstances", "CreateImage"}, action) {
		p.passed = action
	}
	return name, look
}

// enter notes a call, and says whether it is the one to strike at.
func (p *tap) enter(r *http.Request, body []byte) (struck bool) {
	form, _ := url.ParseQuery(string(body)) // what is no form has no action
	p.mu.Lock()
	defer p.mu.Unlock()
	name, look := p.name(r, form)
	p.seen[name]++
	if n := p.seen[name]; n == 1 || !look {
		p.calls = append(p.calls, fmt.Sprintf("%s #%d", name, n))
	}
	for _, m := range buildsOf.FindAllSubmatch(body, -1) {
		if id := string(m[1]); !slices.Contains(p.builds, id) {
			p.builds = append(p.builds, id)
		}
	}
	return p.strike != nil && p.at.call == fmt.Sprintf("%s #%d", name, p.seen[name])
}

// ServeHTTP passes a call on. What happens to imago does not stop a call that the cloud has.
func (p *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.open.Add(1)
	defer p.open.Done()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	struck := p.enter(r, body)
	if struck && !p.at.after {
		p.strike()
		if p.at.lost {
			<-p.gone
			panic(http.ErrAbortHandler)
		}
	}
	out, err := http.NewRequest(r.Method, p.cloud+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header, out.Host = r.Header, r.Host // it is signed
	answer, err := http.DefaultClient.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if struck && p.at.after {
		p.strike()
		if p.at.lost {
			<-p.gone
		}
	}
	if err != nil || struck && p.at.lost {
		panic(http.ErrAbortHandler)
	}
	for key, values := range answer.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.StatusCode)
	w.Write(text)
}

// names are the builds that the calls so far were of.
func (p *tap) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.builds)
}
