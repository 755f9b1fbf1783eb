package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// ListenerConfig is where and how a listener hears its clients.
type ListenerConfig struct {
	// Addrs are its addresses, one for each zone of the load balancer.
	Addrs []netip.AddrPort
	// Idle is how long a connection may be silent, and a target may take to
	// answer. AWS's default is 60 s.
	Idle time.Duration
	// TLS makes it a listener for HTTPS.
	TLS *tls.Config
	// Log receives what goes wrong. Optional; defaults to silence.
	Log *slog.Logger
}

// Listener takes requests and does with each what the first rule says that holds.
type Listener struct {
	config  ListenerConfig
	rules   atomic.Pointer[[]Rule]
	server  *http.Server
	serve   sync.WaitGroup
	addrs   []netip.AddrPort
	buffers buffers
}

// Listen opens a listener that answers 503 until it is given rules.
func Listen(config ListenerConfig) (*Listener, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	l := &Listener{config: config}
	l.Route(nil)
	l.server = &http.Server{
		Handler:           l,
		IdleTimeout:       config.Idle,
		ReadHeaderTimeout: config.Idle,
		ErrorLog:          slog.NewLogLogger(config.Log.Handler(), slog.LevelDebug),
		TLSConfig:         config.TLS,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // WebSockets need HTTP/1.1
	}
	var sockets []net.Listener
	for _, addr := range config.Addrs {
		socket, err := net.Listen("tcp", addr.String())
		if err != nil {
			for _, s := range sockets {
				s.Close()
			}
			return nil, err
		}
		l.addrs = append(l.addrs, socket.Addr().(*net.TCPAddr).AddrPort())
		if config.TLS != nil {
			socket = tls.NewListener(socket, config.TLS)
		}
		sockets = append(sockets, socket)
	}
	for _, socket := range sockets {
		l.serve.Go(func() {
			if err := l.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
				config.Log.Error("a listener ended", "address", socket.Addr(), "why", err)
			}
		})
	}
	return l, nil
}

// Addrs are where it listens; a port that was 0 is the one it got.
func (l *Listener) Addrs() []netip.AddrPort { return l.addrs }

// Route replaces the rules. What is in flight goes on as it began; the next
// request of each connection meets the new ones.
func (l *Listener) Route(rules []Rule) { l.rules.Store(&rules) }

// Close ends the listener. What is in flight may finish until ctx ends.
func (l *Listener) Close(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, l.server.Close())
	}
	l.serve.Wait()
	return err
}

// ServeHTTP does what the rules say.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, rule := range *l.rules.Load() {
		if rule.holds(r) {
			l.act(rule.Action, w, r)
			return
		}
	}
	page(w, http.StatusServiceUnavailable)
}

func (l *Listener) act(a Action, w http.ResponseWriter, r *http.Request) {
	switch {
	case a.Fixed != nil:
		if a.Fixed.ContentType != "" {
			w.Header().Set("Content-Type", a.Fixed.ContentType)
		}
		w.Header().Set("Server", serverName)
		w.WriteHeader(a.Fixed.Status)
		w.Write([]byte(a.Fixed.Body)) //nolint:errcheck // the client has gone
	case a.Redirect != nil:
		w.Header().Set("Server", serverName)
		w.Header().Set("Location", a.Redirect.location(r))
		w.WriteHeader(a.Redirect.Status)
	default:
		l.forward(a.choose(), w, r)
	}
}
