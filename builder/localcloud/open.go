package localcloud

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

const (
	infoName = "cloud.json"
	lockName = "cloud.lock"

	egressLimit   = 5 * time.Second
	drainLimit    = 5 * time.Second
	headerTimeout = 10 * time.Second
)

// Open starts a local cloud on a state directory: its machines' network and its
// API. One process at a time can have a state directory open. The caller serves
// it with Serve, and closes it.
func Open(ctx context.Context, options Options) (_ *Cloud, err error) {
	if err := options.Faults.Validate(); err != nil {
		return nil, err
	}
	c := newCloud(options)
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if err := c.openState(); err != nil {
		return nil, err
	}
	if err := c.listen(); err != nil {
		return nil, err
	}
	if err := c.openMachines(ctx); err != nil {
		return nil, err
	}
	if c.dns, err = openDNS(c); err != nil {
		return nil, fmt.Errorf("the DNS server of the hosted zones: %w", err)
	}
	c.dns.serve()
	if err := c.restore(); err != nil {
		return nil, err
	}
	c.background(c.scale)
	return c, c.writeInfo(os.Getpid())
}

// openHost opens the real machines; metadata is the port where their gateway
// answers for 169.254.169.254.
func (c *Cloud) openHost(ctx context.Context, metadata int) (Machines, error) {
	c.progress("making the network of the machines")
	h, err := machine.Open(ctx, machine.HostConfig{Dir: machinesDir(c.options.StateDir), Log: c.log, Metadata: metadata})
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, egressLimit)
	defer cancel()
	if err := h.CheckEgress(limited); err != nil { // it is of use without, but hardly for a bake
		c.progress("warning: the machines do not reach the internet: %v", err)
		c.log.Warn("the machines do not reach the internet", "why", err)
	}
	return host{h}, nil
}

func machinesDir(stateDir string) string { return filepath.Join(stateDir, "machines") }

func newCloud(options Options) *Cloud {
	c := &Cloud{
		options:    options,
		log:        options.Log,
		now:        time.Now,
		buildBase:  machine.BuildBase,
		shutdown:   make(chan struct{}),
		lives:      map[string]*life{},
		imdsTokens: map[string]imdsToken{},
		faults:     newFaultRules(options.Faults),
		unknown:    newUnknown(),
		doomed:     map[string]doomed{},
		tracked:    map[string]*tracking{},
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.balance, c.targets = newBalance(c), balancedTargets{c}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.started = c.now()
	return c
}

// openState makes this process the owner of the state directory, and reads it.
func (c *Cloud) openState() error {
	if c.options.StateDir == "" || c.options.CacheDir == "" {
		return errors.New("the local cloud needs a state directory and a cache directory")
	}
	for _, dir := range []string{c.options.StateDir, c.options.CacheDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	lock, locked, err := lockFile(filepath.Join(c.options.StateDir, lockName))
	if err != nil {
		return err
	}
	if !locked {
		return fmt.Errorf("a local cloud runs on %s already; use it, or stop it with: imago local down", c.options.StateDir)
	}
	c.lock = lock
	if c.state, err = loadState(c.options.StateDir); err != nil {
		return err
	}
	return c.openKeys()
}

// openKeys reads the keys of the last time, or makes some.
func (c *Cloud) openKeys() error {
	info, err := readInfo(c.options.StateDir)
	if err != nil {
		return err
	}
	c.keys = credentials{AccessKey: info.AccessKey, SecretKey: info.SecretKey}
	if c.keys.AccessKey == "" || c.keys.SecretKey == "" {
		c.keys = newKeys()
	}
	c.addresses = []string{c.options.Addr}
	if c.options.Addr == "" {
		c.addresses = []string{strings.TrimPrefix(info.Endpoint, "http://"), "127.0.0.1:0"}
	}
	return c.writeInfo(0)
}

// newKeys are a pair in the form of AWS's.
func newKeys() credentials {
	var secret [30]byte
	rand.Read(secret[:]) // never returns an error
	return credentials{
		AccessKey: "AKIA" + rand.Text()[:16],
		SecretKey: base64.StdEncoding.EncodeToString(secret[:]),
	}
}

// listen takes the first of the addresses that is free.
func (c *Cloud) listen() error {
	var errs []error
	for _, address := range c.addresses {
		if address == "" {
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err == nil {
			c.listener = listener
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// openMachines opens the machines' network and the metadata service on it.
func (c *Cloud) openMachines(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	if c.machines = c.options.Machines; c.machines == nil {
		if c.machines, err = c.openHost(ctx, port); err != nil {
			return err
		}
	}
	address := netip.AddrPortFrom(c.machines.Gateway(), uint16(port)).String()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("the metadata service of the machines: %w", err)
	}
	c.metadata = &http.Server{
		Addr:              address,
		Handler:           http.HandlerFunc(c.serveMetadata),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
	}
	c.jobs.Go(func() {
		if err := c.metadata.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.log.Error("the metadata service ended", "why", err)
		}
	})
	return nil
}

// freePort is a port that nobody listens on, on any address.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// restore brings the state of an earlier server in line with what is there now.
func (c *Cloud) restore() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layToRest()
	c.abandonPending()
	c.forgetTerminated()
	for _, id := range sortedKeys(c.state.Instances) { // the network may be another one
		inst := c.state.Instances[id]
		if addr, err := netip.ParseAddr(inst.PrivateIP); inst.State == terminated || err == nil && c.machines.Prefix().Contains(addr) {
			continue
		}
		addr, err := c.freeAddress(c.rangeOf(inst))
		if err != nil {
			return err
		}
		inst.setAddress(addr)
	}
	if err := c.route(); err != nil { // of use without
		c.progress("warning: %v", err)
		c.log.Warn("load balancers", "why", err)
	}
	return errors.Join(c.sweepLayers(), c.save())
}
