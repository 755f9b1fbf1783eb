package main

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// addressPattern finds a machine's address in what the API answers.
var addressPattern = regexp.MustCompile(`<privateIpAddress>([0-9.]+)</privateIpAddress>`)

// apiProxy stands in front of the cloud's API, counts the calls, and learns the
// address of every machine that is launched through it.
type apiProxy struct {
	server   *http.Server
	endpoint string
	launched func(addr string) // given host:port of the machine's sshd

	mu    sync.Mutex
	calls map[string]int       // by action
	last  map[string]time.Time // when each was made the last time
}

func newAPIProxy(endpoint string, launched func(addr string)) (*apiProxy, error) {
	cloud, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &apiProxy{endpoint: "http://" + listener.Addr().String(), launched: launched, calls: map[string]int{}, last: map[string]time.Time{}}
	p.server = &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(cloud)
			r.Out.Host = r.In.Host // signed by the caller
			r.SetXForwarded()
		},
		ModifyResponse: p.answer,
	}}
	inner := p.server.Handler
	p.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.ask(r)
		inner.ServeHTTP(w, r)
	})
	go p.server.Serve(listener)
	return p, nil
}

// ask counts a call by the action that its body names.
func (p *apiProxy) ask(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return // the cloud will complain
	}
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	r.Header.Set("X-Bench-Action", action) // not among the signed headers, and comes back with the response's request
	p.mu.Lock()
	p.calls[action]++
	p.last[action] = time.Now()
	p.mu.Unlock()
}

// answer reads the address out of RunInstances's answer.
func (p *apiProxy) answer(r *http.Response) error {
	if r.Request.Header.Get("X-Bench-Action") != "RunInstances" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	if m := addressPattern.FindSubmatch(body); m != nil {
		p.launched(net.JoinHostPort(string(m[1]), "22"))
	}
	return nil
}

// take returns the calls since the last take, by action.
func (p *apiProxy) take() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := maps.Clone(p.calls)
	clear(p.calls)
	return calls
}

// when is when a call was made the last time.
func (p *apiProxy) when(action string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[action]
}

func (p *apiProxy) close() { p.server.Close() }
