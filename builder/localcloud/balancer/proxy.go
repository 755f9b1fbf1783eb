package balancer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

const serverName = "awselb/2.0"

// newTransport keeps connections to targets for reuse, as AWS's does.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   512,
		IdleConnTimeout:       60 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
	}
}

// forward passes a request on to a target of the group.
func (l *Listener) forward(g *Group, w http.ResponseWriter, r *http.Request) {
	if g == nil {
		page(w, http.StatusServiceUnavailable)
		return
	}
	t := g.pick()
	if t == nil {
		page(w, http.StatusServiceUnavailable)
		return
	}
	defer t.inFlight.Add(-1)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	late := time.AfterFunc(l.config.Idle, cancel)
	defer late.Stop()
	proxy := httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { l.rewrite(pr, t) },
		Transport:      g.transport,
		FlushInterval:  -1,
		BufferPool:     &l.buffers,
		ErrorLog:       l.server.ErrorLog,
		ErrorHandler:   failed,
		ModifyResponse: func(*http.Response) error { late.Stop(); return nil },
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

func (l *Listener) rewrite(pr *httputil.ProxyRequest, t *target) {
	pr.Out.URL.Scheme, pr.Out.URL.Host = "http", t.addr.String()
	pr.Out.Host = pr.In.Host
	pr.Out.Header["X-Forwarded-For"] = pr.In.Header["X-Forwarded-For"]
	pr.SetXForwarded()
	pr.Out.Header.Del("X-Forwarded-Host") // AWS's sends none
	if addr, ok := pr.In.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		pr.Out.Header.Set("X-Forwarded-Port", fmt.Sprint(addr.Port))
	}
	if pr.Out.Header.Get("X-Amzn-Trace-Id") == "" {
		pr.Out.Header.Set("X-Amzn-Trace-Id", traceID())
	}
	if _, ok := pr.Out.Header["User-Agent"]; !ok {
		pr.Out.Header["User-Agent"] = nil // the client sent none
	}
}

// traceID is of the form of X-Ray's.
func traceID() string {
	var b [12]byte
	rand.Read(b[:]) // never returns an error
	return fmt.Sprintf("Root=1-%08x-%s", time.Now().Unix(), hex.EncodeToString(b[:]))
}

// failed answers for a target that does not.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.Canceled):
		page(w, http.StatusGatewayTimeout)
	default:
		page(w, http.StatusBadGateway)
	}
}

// page is the load balancer's own answer.
func page(w http.ResponseWriter, status int) {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	w.Header().Set("Server", serverName)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	io.WriteString(w, "<html><head><title>"+text+"</title></head><body><center><h1>"+text+"</h1></center></body></html>\n") //nolint:errcheck // the client has gone
}

// location fills in where a client is sent.
func (t Redirect) location(r *http.Request) string {
	protocol, host, port := "http", r.Host, "80"
	if r.TLS != nil {
		protocol, port = "https", "443"
	}
	if name, p, err := net.SplitHostPort(r.Host); err == nil {
		host, port = name, p
	}
	fill := strings.NewReplacer("#{protocol}", protocol, "#{host}", host, "#{port}", port,
		"#{path}", strings.TrimPrefix(r.URL.Path, "/"), "#{query}", r.URL.RawQuery)
	or := func(text, otherwise string) string {
		if text == "" {
			text = otherwise
		}
		return fill.Replace(text)
	}
	to := url.URL{
		Scheme: strings.ToLower(or(t.Protocol, "#{protocol}")), Path: or(t.Path, "/#{path}"), RawQuery: or(t.Query, "#{query}"),
	}
	to.Host = or(t.Host, "#{host}") + ":" + or(t.Port, "#{port}")
	return to.String()
}

// buffers are those that bodies are copied through.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }
