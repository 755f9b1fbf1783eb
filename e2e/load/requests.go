package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The kinds of requests.
const (
	KeepAlive = "keep-alive"
	New       = "new connection"
	Post      = "post"
	Slow      = "slow"
	WebSocket = "websocket"
)

// ImageHeader is the header in which an application names the image that it runs from.
const ImageHeader = "X-Imago-Image"

// generator asks.
type generator struct {
	Config
	report     *Report
	kept, anew *http.Client
}

func (g *generator) open() {
	keep := &http.Transport{MaxIdleConnsPerHost: 1024, IdleConnTimeout: 30 * time.Second, DisableCompression: true}
	g.kept = &http.Client{Transport: keep}
	g.anew = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
}

func (g *generator) close() { g.kept.CloseIdleConnections() }

// one is the nth request. Which kind it is is decided by n alone: the shares are exact.
func (g *generator) one(n uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), g.Timeout)
	defer cancel()
	begin := time.Now()
	at := float64(n*7919%1000) / 1000
	switch {
	case at < g.New:
		g.get(ctx, New, g.anew, g.Path, begin)
	case at < g.New+g.Post:
		g.post(ctx, n, begin)
	default:
		g.get(ctx, KeepAlive, g.kept, g.Path, begin)
	}
}

// get counts an answer that is 200 and complete as good.
func (g *generator) get(ctx context.Context, kind string, client *http.Client, path string, begin time.Time) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+path, nil)
	if err != nil {
		g.report.failed(kind, err)
		return
	}
	by, _, err := do(client, req)
	g.report.add(kind, by, time.Since(begin), err)
}

// post sends a text that the application has to send back, with how often it has seen it.
func (g *generator) post(ctx context.Context, n uint64, begin time.Time) {
	text := fmt.Sprintf("%d-%d", begin.UnixNano(), n)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/count", strings.NewReader(text))
	if err != nil {
		g.report.failed(Post, err)
		return
	}
	by, body, err := do(g.kept, req)
	if want := text + " 1"; err == nil && body != want {
		err = fmt.Errorf("the answer is %.60q, want %q", body, want)
	}
	g.report.add(Post, by, time.Since(begin), err)
}

// do returns which image answered, and the body of a good answer.
func do(client *http.Client, req *http.Request) (by, body string, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	by = resp.Header.Get(ImageHeader)
	switch {
	case err != nil:
		return by, "", fmt.Errorf("the answer ended early: %w", err)
	case resp.StatusCode != http.StatusOK:
		return by, "", fmt.Errorf("status %d", resp.StatusCode)
	}
	return by, string(text), nil
}

// slow asks for an answer that takes long, and is not ended by ctx.
func (g *generator) slow(context.Context) {
	ctx, cancel := context.WithTimeout(context.Background(), g.SlowFor+g.Timeout)
	defer cancel()
	g.get(ctx, Slow, g.anew, fmt.Sprintf("/slow?seconds=%g", g.SlowFor.Seconds()), time.Now())
}

// errClosed is how a WebSocket ends that the application closes in good order.
var errClosed = errors.New("closed in good order")

// webSocket opens one, and says something each second until ctx ends or it is
// closed in good order, which is no failure.
func (g *generator) webSocket(ctx context.Context) {
	begin := time.Now()
	by, err := g.converse(ctx)
	if errors.Is(err, errClosed) {
		err = nil
	}
	if err != nil {
		time.Sleep(100 * time.Millisecond) // not to ask without a pause where nobody answers
	}
	g.report.add(WebSocket, by, time.Since(begin), err)
}

func (g *generator) converse(ctx context.Context) (by string, err error) {
	u, err := url.Parse(g.URL)
	if err != nil {
		return "", err
	}
	conn, err := net.DialTimeout("tcp", withPort(u), g.Timeout)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(g.Timeout)) //nolint:errcheck // the next read says it
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", u.Host)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return "", err
	}
	by = resp.Header.Get(ImageHeader)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return by, fmt.Errorf("status %d", resp.StatusCode)
	}
	for ctx.Err() == nil {
		conn.SetDeadline(time.Now().Add(g.Timeout)) //nolint:errcheck // the next read says it
		if err := echo(conn, in, "tick"); err != nil {
			return by, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return by, writeFrame(conn, opClose, nil)
}

func withPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Host, "80")
}
