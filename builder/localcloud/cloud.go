package localcloud

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// maxBody bounds a request: EC2 takes 16 KiB of user-data, and not much else.
const maxBody = 1 << 20

// Options are what a local cloud is opened with.
type Options struct {
	// StateDir is the directory of everything that must not be lost: images,
	// instances, keys. It must be on a real disk (not on overlayfs).
	StateDir string
	// CacheDir is the directory of the bases, which can be built again.
	CacheDir string
	// Addr is where the API listens. Optional; defaults to the port of the last
	// time on 127.0.0.1, or a free one.
	Addr string
	// Log receives what goes on. Optional; defaults to silence.
	Log *slog.Logger
	// Progress receives one line for each step of what takes long. Optional.
	Progress func(string)
	// Delays is how long a transition takes at least, by the state that it leads
	// to: "running", "stopped", "terminated" of instances, "available" of images,
	// "completed" of snapshots; "ssh" is the time between an instance running
	// and its machine starting. Of Auto Scaling: "in-service" is what a member
	// takes after its instance runs, "scaling" the time from a difference in
	// capacity to what is done about it, "health" how long a member must fail
	// before it is replaced, "metric" the period of what policies look at, which
	// is a second when nothing else is said. "active" is of load balancers,
	// "insync" of changes in DNS, and "draining" how long a target that is being
	// deregistered still gets new requests. Optional; defaults to as fast as it goes.
	Delays map[string]time.Duration
	// DiskBytes bounds what each machine can write. Optional; defaults to what
	// the file system of StateDir holds. With a bound an image takes longer.
	DiskBytes int64
	// Machines are what instances run on. The cloud closes them. Optional;
	// defaults to real machines, which need Linux and root.
	Machines Machines

	// Faults are what goes wrong on purpose. Optional; defaults to nothing.
	Faults Faults
}

// Cloud is an EC2 on this computer: an http.Handler whose instances are real
// machines. It is safe for concurrent use.
type Cloud struct {
	options  Options
	log      *slog.Logger
	now      func() time.Time
	keys     credentials
	started  time.Time
	machines Machines
	targets  targets // the load balancers
	// buildBase is machine.BuildBase.
	buildBase func(context.Context, machine.BaseConfig) (string, error)
	lock      io.Closer
	addresses []string // to listen on: the first that is free
	listener  net.Listener
	metadata  *http.Server
	shutdown  chan struct{} // closed by a Shutdown call
	shutOnce  sync.Once
	closing   sync.Once
	closeErr  error

	ctx    context.Context // ends when the cloud closes
	cancel context.CancelFunc
	jobs   sync.WaitGroup

	// baseMu lets one base be built at a time.
	baseMu sync.Mutex

	mu          sync.Mutex // guards what is below
	state       *state
	lives       map[string]*life
	imdsTokens  map[string]imdsToken
	lastAddress netip.Addr
	balance     *balance
	dns         *dns
	faults      faultRules
	unknown     unknown
	doomed      map[string]doomed    // by id
	tracked     map[string]*tracking // scaling policies, by ARN
	ending      bool                 // the machines are being stopped: nobody may start one
}

// handler answers one action. It runs with c.mu held: what takes long goes on
// in the background, and the answer does not wait for it.
type handler func(c *Cloud, r *request) (any, error)

// ServeHTTP answers a request of EC2, Auto Scaling, STS, SSM or of imago itself. Each must be
// signed (Signature Version 4) with the keys of this cloud.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	w.Header().Set("X-Amzn-Requestid", id)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		respondFault(w, id, faultf("RequestEntityTooLarge", "The request cannot be read: %v", err))
		return
	}
	now, own := c.now(), strings.HasPrefix(r.URL.Path, ownPath)
	if !own {
		now = c.clock(w)
	}
	scope, err := c.keys.verify(r, body, now)
	if err != nil {
		c.log.Warn("request refused", "path", r.URL.Path, "why", err)
		refuse(w, r, scope.service, id, faultOf(err))
		return
	}
	defer c.rescue(w, r, scope.service, id)
	switch {
	case own:
		c.serveOwn(w, r, body)
	case scope.service == "ssm":
		c.serveSSM(w, scope.region, r, body)
	case scope.service == "route53":
		c.serveRoute53(w, r, scope.region, body)
	default:
		c.serveQuery(w, r, scope, body)
	}
}

// rescue answers for a handler that panicked. The stack goes to the log.
func (c *Cloud) rescue(w http.ResponseWriter, r *http.Request, service, id string) {
	problem := recover()
	if problem == nil {
		return
	}
	if problem == http.ErrAbortHandler { // meant
		panic(problem)
	}
	c.log.Error("a handler panicked", "path", r.URL.Path, "problem", problem, "stack", string(debug.Stack()))
	refuse(w, r, service, id, faultf("InternalError", "An internal error has occurred: %v", problem))
}

// ec2Actions are all that EC2 answers here.
func ec2Actions() map[string]handler {
	all := map[string]handler{}
	for _, family := range []map[string]handler{
		instanceActions(), imageActions(), snapshotActions(), volumeActions(), keyActions(),
		groupActions(), tagActions(), networkActions(), regionActions(), launchTemplateActions(),
	} {
		maps.Copy(all, family)
	}
	return all
}

// layerPath is the directory of a layer: "cache/NAME" is a base, below the
// cache; any other name is below the state directory.
func (c *Cloud) layerPath(name string) string {
	if base, found := strings.CutPrefix(name, basePrefix); found {
		return filepath.Join(c.options.CacheDir, base)
	}
	return filepath.Join(c.options.StateDir, "layers", name)
}

// delay waits until a state has taken as long since its beginning as Options.Delays says.
func (c *Cloud) delay(ctx context.Context, state string, since time.Time) error {
	return sleep(ctx, c.options.Delays[state]-time.Since(since))
}

// background runs a job that Close waits for. Its context ends with the cloud.
func (c *Cloud) background(job func(context.Context)) {
	c.jobs.Go(func() {
		defer func() {
			if problem := recover(); problem != nil {
				c.log.Error("a background job panicked", "problem", problem, "stack", string(debug.Stack()))
			}
		}()
		job(c.ctx)
	})
}

func (c *Cloud) progress(format string, args ...any) {
	if c.options.Progress != nil {
		c.options.Progress(fmt.Sprintf(format, args...))
	}
}
