package localcloud

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// fakeMachines need no root: a machine is an entry in a map, its disk a
// directory with one file. Their network is a piece of the loopback.
type fakeMachines struct {
	dir string

	mu       sync.Mutex
	guests   map[string]*fakeGuest
	starts   []machine.Config
	removed  []string
	startErr error
	closed   bool
}

type fakeGuest struct {
	done     chan struct{}
	once     sync.Once
	exit     machine.Exit
	stubborn atomic.Bool
	worked   atomic.Int64 // nanoseconds
}

func (g *fakeGuest) end(exit machine.Exit) {
	g.once.Do(func() { g.exit = exit; close(g.done) })
}

func (g *fakeGuest) Done() <-chan struct{} { return g.done }
func (g *fakeGuest) Exit() machine.Exit    { return g.exit }

// Stop waits for Kill when the guest is a stubborn one.
func (g *fakeGuest) Stop(ctx context.Context, _ time.Duration) error {
	if !g.stubborn.Load() {
		g.end(machine.Poweroff)
	}
	select {
	case <-g.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *fakeGuest) Kill() error             { g.end(machine.Killed); return nil }
func (f *fakeMachines) Prefix() netip.Prefix { return netip.MustParsePrefix("127.77.0.0/24") }
func (f *fakeMachines) Gateway() netip.Addr  { return netip.MustParseAddr("127.77.0.1") }
func (f *fakeMachines) Console(id string) ([]byte, error) {
	return []byte("console of " + id + "\n"), nil
}
func (f *fakeMachines) guest(id string) *fakeGuest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.guests[id]
}
func (f *fakeMachines) startsOf(id string) (all []machine.Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, config := range f.starts {
		if config.ID == id {
			all = append(all, config)
		}
	}
	return all
}

func (f *fakeMachines) Start(_ context.Context, config machine.Config) (Guest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.startErr != nil {
		return nil, f.startErr
	}
	if g := f.guests[config.ID]; g != nil {
		select {
		case <-g.done:
		default:
			return nil, errors.New("the machine runs already")
		}
	}
	for _, layer := range config.Layers {
		if _, err := os.Stat(layer); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(f.dir, config.ID), 0o755); err != nil {
		return nil, err
	}
	g := &fakeGuest{done: make(chan struct{})}
	f.guests[config.ID] = g
	f.starts = append(f.starts, config)
	return g, nil
}

func (f *fakeMachines) Remove(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = append(f.removed, id)
	return os.RemoveAll(filepath.Join(f.dir, id))
}

func (f *fakeMachines) Capture(id, dst string) error {
	if g := f.guest(id); g != nil {
		select {
		case <-g.done:
		default:
			return errors.New("the machine runs")
		}
	}
	return errors.Join(os.Rename(filepath.Join(f.dir, id), dst), os.Mkdir(filepath.Join(f.dir, id), 0o755))
}

func (f *fakeMachines) CaptureLive(_ context.Context, id, dst string) error {
	return os.CopyFS(dst, os.DirFS(filepath.Join(f.dir, id)))
}

func (f *fakeMachines) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for id, g := range f.guests {
		select {
		case <-g.done:
		default:
			return fmt.Errorf("machine %s still runs", id)
		}
	}
	return nil
}

// testCloud is a cloud that serves, on fake machines.
type testCloud struct {
	*Cloud
	t        testing.TB
	machines *fakeMachines
	dir      string
	region   string
	stop     func() // ends it as a signal would, and waits
}

// openTest opens a cloud in a new directory; change may adapt its options.
func openTest(t testing.TB, change ...func(*Options)) *testCloud {
	t.Helper()
	return openTestIn(t, t.TempDir(), change...)
}

func openTestIn(t testing.TB, dir string, change ...func(*Options)) *testCloud {
	t.Helper()
	fake := &fakeMachines{dir: filepath.Join(dir, "disks"), guests: map[string]*fakeGuest{}}
	options := Options{StateDir: filepath.Join(dir, "state"), CacheDir: filepath.Join(dir, "cache"), Machines: fake}
	for _, f := range change {
		f(&options)
	}
	cloud, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	cloud.buildBase = func(_ context.Context, config machine.BaseConfig) (string, error) {
		if config.Progress != nil {
			config.Progress("building " + config.Suite)
		}
		base := filepath.Join(config.Dir, config.Suite+"-0123")
		return base, os.MkdirAll(base, 0o755)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cloud.Serve(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		http.DefaultClient.CloseIdleConnections() // the next cloud may have the same address
	})
	t.Cleanup(stop)
	return &testCloud{Cloud: cloud, t: t, machines: fake, dir: dir, region: "us-east-1", stop: stop}
}

// with is the cloud for a subtest.
func (c *testCloud) with(t *testing.T) *testCloud {
	sub := *c
	sub.t = t
	return &sub
}

// base registers a base, and is its id.
func (c *testCloud) base() string {
	c.t.Helper()
	img, err := c.AddImage(c.t.Context(), ImageSpec{Suite: "debian-12"})
	if err != nil {
		c.t.Fatal(err)
	}
	return img.ID
}

// run launches one instance of image and is its id, when it is running.
func (c *testCloud) run(image string, pairs ...string) string {
	c.t.Helper()
	answer := c.ok("RunInstances", append([]string{"ImageId", image, "MinCount", "1", "MaxCount", "1", "InstanceType", "t3.micro"}, pairs...)...)
	id := answer.text("instancesSet/item/instanceId")
	c.until(id, "running")
	return id
}

func (c *testCloud) instanceState(id string) string {
	c.t.Helper()
	return c.ok("DescribeInstances", "InstanceId.1", id).text("reservationSet/item/instancesSet/item/instanceState/name")
}

// until waits for a state of an instance.
func (c *testCloud) until(id, state string) {
	c.t.Helper()
	eventually(c.t, "instance "+id+" is "+state, func() bool { return c.instanceState(id) == state })
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after 5 s: %s", what)
		}
	}
}

// call makes a signed call of EC2; pairs are parameter, value, parameter, …
func (c *testCloud) call(action string, pairs ...string) (int, string) {
	c.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return c.post("ec2", form.Encode(), nil)
}

// post sends a signed form to a service; change may spoil the request after.
func (c *testCloud) post(service, body string, change func(*http.Request)) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.endpoint()+"/", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	signTest(r, body, c.keys, c.region, service, time.Now())
	if change != nil {
		change(r)
	}
	return do(c.t, http.DefaultClient, r)
}

func do(t testing.TB, client *http.Client, r *http.Request) (int, string) {
	t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// ok makes a call that must succeed.
func (c *testCloud) ok(action string, pairs ...string) node {
	c.t.Helper()
	status, body := c.call(action, pairs...)
	if status != http.StatusOK {
		c.t.Fatalf("%s %q: %d %s", action, pairs, status, body)
	}
	return parseNode(c.t, body)
}

// fault makes a call that must fail, and is "STATUS CODE: MESSAGE".
func (c *testCloud) fault(action string, pairs ...string) string {
	c.t.Helper()
	status, body := c.call(action, pairs...)
	if status == http.StatusOK {
		c.t.Fatalf("%s %q succeeded: %s", action, pairs, body)
	}
	n := parseNode(c.t, body)
	return fmt.Sprintf("%d %s: %s", status, n.text("Errors/Error/Code"), n.text("Errors/Error/Message"))
}

// node is any XML element.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func parseNode(t testing.TB, text string) node {
	t.Helper()
	var n node
	if err := xml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return n
}

// all are the elements at a path, a/b/c.
func (n node) all(path string) []node {
	at := []node{n}
	for name := range strings.SplitSeq(path, "/") {
		var next []node
		for _, one := range at {
			for _, child := range one.Children {
				if child.XMLName.Local == name {
					next = append(next, child)
				}
			}
		}
		at = next
	}
	return at
}

// texts are the texts of the elements at a path.
func (n node) texts(path string) []string {
	var texts []string
	for _, one := range n.all(path) {
		texts = append(texts, one.Text)
	}
	return texts
}

// text is the one at a path; several are joined by a space.
func (n node) text(path string) string { return strings.Join(n.texts(path), " ") }

// signTest is Signature Version 4, written a second time from its description.
func signTest(r *http.Request, body string, keys credentials, region, service string, at time.Time) {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", stamp)
	headers := map[string]string{"host": r.URL.Host, "x-amz-date": stamp}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		headers["content-type"] = kind
	}
	names := slices.Sorted(maps.Keys(headers))
	text := r.Method + "\n" + r.URL.Path + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n"
	for _, name := range names {
		text += name + ":" + headers[name] + "\n"
	}
	text += "\n" + strings.Join(names, ";") + "\n" + sha(body)
	within := stamp[:8] + "/" + region + "/" + service + "/aws4_request"
	key := "AWS4" + keys.SecretKey
	for part := range strings.SplitSeq(within, "/") {
		key = mac(key, part)
	}
	signature := hex.EncodeToString([]byte(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+within+"\n"+sha(text))))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys.AccessKey+"/"+within+
		", SignedHeaders="+strings.Join(names, ";")+", Signature="+signature)
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return string(h.Sum(nil))
}
