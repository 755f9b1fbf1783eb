package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder/localcloud"
	engine "github.com/imagobuild/imago/builder/localcloud/machine"
)

// noMachines are what the instances of a cloud run on that has only an API:
// whatever is asked of them is done at once.
type noMachines struct{}

func (noMachines) Prefix() netip.Prefix                               { return netip.MustParsePrefix("127.78.0.0/24") }
func (noMachines) Gateway() netip.Addr                                { return netip.MustParseAddr("127.78.0.1") }
func (noMachines) Console(string) ([]byte, error)                     { return nil, nil }
func (noMachines) Remove(string) error                                { return nil }
func (noMachines) Capture(_, dst string) error                        { return os.Mkdir(dst, 0o755) }
func (noMachines) CaptureLive(_ context.Context, _, dst string) error { return os.Mkdir(dst, 0o755) }
func (noMachines) Close() error                                       { return nil }
func (noMachines) Start(context.Context, engine.Config) (localcloud.Guest, error) {
	return &noMachine{done: make(chan struct{})}, nil
}

// noMachine ends when it is told to.
type noMachine struct {
	done chan struct{}
	once sync.Once
}

func (m *noMachine) Done() <-chan struct{}                     { return m.done }
func (m *noMachine) Exit() engine.Exit                         { return engine.Poweroff }
func (m *noMachine) Kill() error                               { m.once.Do(func() { close(m.done) }); return nil }
func (m *noMachine) Stop(context.Context, time.Duration) error { return m.Kill() }

// instant is a bake without a provisioner where nothing has to be waited for: an
// API that changes state at once, and a machine that is there already.
func (b *bench) instant() row {
	r := row{name: "instant", entries: []contender{
		{name: imagoBake, bakes: []object{}, command: func(path string) []string {
			return []string{b.imago, "build", "-color=false", "-no-reuse", "-ssh-host-key=off", path} // no instance gave the machine its key
		}},
		{name: packerBake, bakes: []object{}, command: b.packerBuild},
	}}
	r.measure = func(ctx context.Context, samples map[string][]sample) (err error) {
		sub := *b
		warm, err := b.cloud.warmUp(ctx)
		if err != nil {
			return err
		}
		end, err := sub.serveInstant(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		if sub.relay, err = newRelay(r.link); err != nil {
			return err
		}
		defer sub.relay.close()
		if sub.api, err = newAPIProxy(sub.cloud.api, func(string) { sub.relay.aim(warm.machine) }); err != nil {
			return err
		}
		defer sub.api.close()
		return sub.takeTurns(ctx, r, samples, warm)
	}
	return r
}

// takeTurns lets each contender find the machine as one that has just booted, and
// sees to it that imago has left it ready to be captured.
func (b *bench) takeTurns(ctx context.Context, r row, samples map[string][]sample, warm *cloud) error {
	for range b.n {
		for _, c := range r.entries {
			if err := b.mayStart(ctx); err != nil {
				return err
			}
			if _, err := warm.on(ctx, soil); err != nil {
				return err
			}
			s, err := b.runOne(ctx, r, c)
			if err == nil && c.name == imagoBake {
				_, err = warm.on(ctx, isClean)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(os.Stderr, "  %-28s %8.3f s\n", c.name, s.Seconds)
			samples[c.name] = append(samples[c.name], s)
		}
	}
	return nil
}

// soil gives a machine what one that has just booted has, and must not be in an image.
const soil = `sudo sh -c 'mkdir -p /var/lib/cloud/instances/i-1 && echo boot > /var/log/cloud-init.log && echo 0123456789abcdef0123456789abcdef > /etc/machine-id &&
rm -f /etc/ssh/ssh_host_ed25519_key && ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key'`

const isClean = `test ! -s /etc/machine-id && test ! -e /var/lib/cloud/instances && test ! -e /var/log/cloud-init.log && test ! -e /etc/ssh/ssh_host_ed25519_key`

// warmPort is where a warm machine has an sshd whose host key no bake takes away.
const warmPort = "2222"

// warmUp boots a machine to be found by many bakes, one after another.
func (c *cloud) warmUp(ctx context.Context) (*cloud, error) {
	warm := *c
	if err := warm.launch(ctx); err != nil {
		return nil, err
	}
	_, err := warm.on(ctx, "cloud-init status --wait > /dev/null; sudo cp /etc/ssh/ssh_host_ed25519_key /run/warm && sudo systemd-run -q /usr/sbin/sshd -D -h /run/warm -p "+warmPort)
	host, _, _ := net.SplitHostPort(warm.machine)
	warm.machine = net.JoinHostPort(host, warmPort)
	return &warm, err
}

// serveInstant makes the cloud of b one in this process that has no machines. It
// has the same key pair and the same image.
func (b *bench) serveInstant(ctx context.Context) (end func() error, err error) {
	dir := filepath.Join(b.dir, "instant")
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	served, err := localcloud.Open(ctx, localcloud.Options{StateDir: dir, CacheDir: cache, Machines: noMachines{}})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- served.Serve(ctx) }()
	end = func() error { stop(); return errors.Join(<-ended, os.RemoveAll(dir)) }

	instant := *b.cloud
	instant.env = slices.Clone(instant.env) // of several settings of a name the last counts
	for name, value := range served.Env() {
		instant.env = append(instant.env, name+"="+value)
	}
	instant.api = served.Env()["AWS_ENDPOINT_URL"]
	b.cloud = &instant
	_, err = served.AddImage(ctx, localcloud.ImageSpec{Suite: baseImage, ID: baseID})
	if err == nil {
		err = instant.aws(ctx, nil, "import-key-pair", "--key-name", "bench", "--public-key-material", "fileb://"+instant.keyFile+".pub")
	}
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}

// cacheDir is where imago keeps the base.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return cmp.Or(os.Getenv("IMAGO_CACHE_DIR"), filepath.Join(dir, "imago")), err
}
