package deploy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// point is a call that changes something, before the cloud sees it or after its effect.
type point struct {
	call  string // such as "CreateRule #1"
	after bool
}

func (p point) String() string {
	if p.after {
		return "after " + p.call
	}
	return "before " + p.call
}

// tap stands between one release and the cloud. It names the calls that change
// something, and can do something at one of them; that one gets no answer.
type tap struct {
	server *httptest.Server
	cloud  string

	mu    sync.Mutex
	seen  map[string]int
	calls []string // those that change something, in order, without what renews the lease

	at     point
	strike func() // what happens there; nil: nothing
}

func newTap(t *testing.T) *tap {
	p := &tap{cloud: cloud.exports["AWS_ENDPOINT_URL"], seen: map[string]int{}}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

// enter notes a call, and says whether it is the one to strike at.
func (p *tap) enter(body []byte) (struck bool) {
	form, _ := url.ParseQuery(string(body)) // what is no form has no action
	action := form.Get("Action")
	if strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get") || form.Get("Tag.1.Key") == "imago:beat" {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[action]++
	name := fmt.Sprintf("%s #%d", action, p.seen[action])
	p.calls = append(p.calls, name)
	return p.strike != nil && p.at.call == name
}

func (p *tap) changes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// ServeHTTP passes a call on.
func (p *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	struck := p.enter(body)
	if struck && !p.at.after {
		p.strike()
		panic(http.ErrAbortHandler)
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
	if struck {
		p.strike()
	}
	if err != nil || struck {
		panic(http.ErrAbortHandler)
	}
	for key, values := range answer.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.StatusCode)
	w.Write(text) //nolint:errcheck // the client has gone
}
