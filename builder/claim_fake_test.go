package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// account is what several builds share: images, and the names of key pairs.
type account struct {
	*fakeEC2
	mu       sync.Mutex
	pairs    map[string]types.KeyPairInfo // by name
	listed   map[string]time.Time         // from when on: by key pair's id, or an image's
	lag      time.Duration                // until a new key pair is listed, or known by its id
	late     time.Duration                // until an image is found that is there to stay
	made     int                          // of everything that has an id
	machines int                          // launched
	set      []string                     // attributes of images
	config   func(*Config)                // changes what is built
	looks    int                          // at key pairs
}

func newAccount() *account {
	return &account{fakeEC2: newFake(), pairs: map[string]types.KeyPairInfo{}, listed: map[string]time.Time{}}
}

// tenant is the account as one build has it: with machines of its own, and calls
// that may be refused, or hang as long as the build is asleep.
type tenant struct {
	*fakeEC2
	a       *account
	machine *fakeMachine
	dying   time.Duration // how long a machine takes to go
	denied  string        // the call that is
	events  []Event

	mu    sync.Mutex
	calls int
	at    func(call int) // is told of each
	wake  chan struct{}  // it sleeps until this is closed; nil: it is awake
}

// builder is one that works in the account and runs a script that takes so long.
func (a *account) builder(t *testing.T, script time.Duration) (*Builder, *tenant) {
	t.Helper()
	x := &tenant{fakeEC2: newFake(), a: a, machine: &fakeMachine{}}
	x.machine.run = func(ctx context.Context) error {
		select {
		case <-time.After(script):
			return x.awake(ctx, "a script")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	b := newBuilder(t, x.fakeEC2, x.machine)
	b.EC2, b.Reuse, b.Holder, b.Journal = x, true, "ann@laptop", &notes{}
	b.OnEvent = func(e Event) { x.events = append(x.events, e) }
	return b, x
}

// sleep makes all that the build does hang until the function it returns is called.
func (x *tenant) sleep() (wake func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wake = make(chan struct{})
	return func() { close(x.wake) }
}

// awake waits until the build is, and refuses what is to be refused.
func (x *tenant) awake(ctx context.Context, call string) error {
	x.mu.Lock()
	wake := x.wake
	x.calls++
	if x.at != nil {
		x.at(x.calls)
	}
	x.mu.Unlock()
	if wake != nil {
		<-wake // whatever becomes of ctx: nothing of it is at work
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if call == x.denied {
		return &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "no " + call}
	}
	return nil
}

// warnings are what it has warned of.
func (x *tenant) warnings() (all []string) {
	for _, e := range x.events {
		if n, ok := e.(Note); ok && n.Warning {
			all = append(all, n.Text)
		}
	}
	return all
}

// count numbers what is made.
func (a *account) count() int {
	a.made++
	return a.made
}

func (x *tenant) ImportKeyPair(ctx context.Context, in *ec2.ImportKeyPairInput, _ ...options) (*ec2.ImportKeyPairOutput, error) {
	if err := x.awake(ctx, "ImportKeyPair"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	defer x.a.mu.Unlock()
	if _, ok := x.a.pairs[*in.KeyName]; ok {
		return nil, &smithy.GenericAPIError{Code: "InvalidKeyPair.Duplicate"}
	}
	id := fmt.Sprint("key-", x.a.count())
	x.a.pairs[*in.KeyName] = types.KeyPairInfo{
		KeyName: in.KeyName, KeyPairId: &id, Tags: in.TagSpecifications[0].Tags, CreateTime: aws.Time(time.Now()),
	}
	x.a.listed[id] = time.Now().Add(x.a.lag)
	return &ec2.ImportKeyPairOutput{KeyPairId: &id}, nil
}

func (x *tenant) DescribeKeyPairs(ctx context.Context, in *ec2.DescribeKeyPairsInput, _ ...options) (*ec2.DescribeKeyPairsOutput, error) {
	if err := x.awake(ctx, "DescribeKeyPairs"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	defer x.a.mu.Unlock()
	x.a.looks++
	out := &ec2.DescribeKeyPairsOutput{}
	for _, name := range in.Filters[0].Values {
		if k, ok := x.a.pairs[name]; ok && !time.Now().Before(x.a.listed[*k.KeyPairId]) {
			out.KeyPairs = append(out.KeyPairs, k)
		}
	}
	return out, nil
}

func (x *tenant) DeleteKeyPair(ctx context.Context, in *ec2.DeleteKeyPairInput, _ ...options) (*ec2.DeleteKeyPairOutput, error) {
	if err := x.awake(ctx, "DeleteKeyPair"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	defer x.a.mu.Unlock()
	for name, k := range x.a.pairs {
		if *k.KeyPairId == *in.KeyPairId {
			delete(x.a.pairs, name)
		}
	}
	return nil, nil
}

func (x *tenant) CreateTags(ctx context.Context, in *ec2.CreateTagsInput, _ ...options) (*ec2.CreateTagsOutput, error) {
	if err := x.awake(ctx, "CreateTags"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	defer x.a.mu.Unlock()
	id := in.Resources[0]
	if id[:4] != "key-" {
		if tagOf(in.Tags, TagExpires) == ExpiresNever {
			x.a.listed[id] = time.Now().Add(x.a.late)
		}
		return x.a.fakeEC2.CreateTags(ctx, in)
	}
	for name, k := range x.a.pairs {
		if *k.KeyPairId == id && !time.Now().Before(x.a.listed[id]) {
			k.Tags = slices.Clone(k.Tags)
			for _, t := range in.Tags {
				k.Tags = append(slices.DeleteFunc(k.Tags, func(old types.Tag) bool { return *old.Key == *t.Key }), t)
			}
			x.a.pairs[name] = k
			return nil, nil
		}
	}
	return nil, &smithy.GenericAPIError{Code: "InvalidKeyPair.NotFound"}
}

func (x *tenant) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, _ ...options) (*ec2.DescribeImagesOutput, error) {
	if err := x.awake(ctx, "DescribeImages"); err != nil {
		return nil, err
	}
	out, err := x.a.fakeEC2.DescribeImages(ctx, in)
	if err == nil && slices.ContainsFunc(in.Filters, func(f types.Filter) bool { return *f.Name == "tag:"+TagExpires }) {
		x.a.mu.Lock()
		defer x.a.mu.Unlock()
		out.Images = slices.DeleteFunc(out.Images, func(i types.Image) bool { return time.Now().Before(x.a.listed[*i.ImageId]) })
	}
	return out, err
}

func (x *tenant) RunInstances(ctx context.Context, in *ec2.RunInstancesInput, _ ...options) (*ec2.RunInstancesOutput, error) {
	if err := x.awake(ctx, "RunInstances"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	x.a.machines++
	x.a.mu.Unlock()
	return x.fakeEC2.RunInstances(ctx, in)
}

func (x *tenant) TerminateInstances(ctx context.Context, in *ec2.TerminateInstancesInput, _ ...options) (*ec2.TerminateInstancesOutput, error) {
	if err := x.awake(ctx, "TerminateInstances"); err != nil {
		return nil, err
	}
	time.Sleep(x.dying)
	return x.fakeEC2.TerminateInstances(ctx, in)
}

// ended says whether the build's machine has.
func (x *tenant) ended() bool {
	x.fakeEC2.mu.Lock()
	defer x.fakeEC2.mu.Unlock()
	return slices.Contains(x.undone, "i-1")
}

func (x *tenant) CreateImage(ctx context.Context, in *ec2.CreateImageInput, _ ...options) (*ec2.CreateImageOutput, error) {
	if err := x.awake(ctx, "CreateImage"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	id := fmt.Sprint("ami-", x.a.count())
	x.a.mu.Unlock()
	state := types.ImageStateAvailable
	if x.a.pending {
		state = types.ImageStatePending
	}
	x.a.add(id, *in.Name, state, in.TagSpecifications...)
	return &ec2.CreateImageOutput{ImageId: &id}, nil
}

func (x *tenant) DeregisterImage(ctx context.Context, in *ec2.DeregisterImageInput, _ ...options) (*ec2.DeregisterImageOutput, error) {
	if err := x.awake(ctx, "DeregisterImage"); err != nil {
		return nil, err
	}
	return x.a.fakeEC2.DeregisterImage(ctx, in)
}

func (x *tenant) ModifyImageAttribute(ctx context.Context, in *ec2.ModifyImageAttributeInput, _ ...options) (*ec2.ModifyImageAttributeOutput, error) {
	if err := x.awake(ctx, "ModifyImageAttribute"); err != nil {
		return nil, err
	}
	x.a.mu.Lock()
	defer x.a.mu.Unlock()
	x.a.set = append(x.a.set, *in.ImageId+" "+*in.Attribute)
	return nil, nil
}

// images are the ids of the images that builds have made.
func (a *account) images() (ids []string) {
	a.fakeEC2.mu.Lock()
	defer a.fakeEC2.mu.Unlock()
	for id := range a.fakeEC2.images {
		if id != "ami-0" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// launched is how many machines were.
func (a *account) launched() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.machines
}

// built is how a build ended.
type built struct {
	Image
	err error
	at  time.Time
}

// start builds web under a name of its own, in the background.
func start(t *testing.T, b *Builder, name string) <-chan built {
	ended := make(chan built, 1)
	go func() {
		cfg := trivial()
		cfg.Output.Name = name
		if a := b.EC2.(*tenant).a; a.config != nil {
			a.config(&cfg)
		}
		img, err := b.Build(t.Context(), cfg)
		ended <- built{img, err, time.Now()}
	}()
	return ended
}

// reused checks that a build has the account's only image.
func (a *account) reused(t *testing.T, r built) {
	t.Helper()
	if ids := a.images(); r.err != nil || len(ids) != 1 || r.ID != ids[0] {
		t.Errorf("the result is %s, %v; there are %q", r.ID, r.err, ids)
	}
}

// sole checks that builds have the account's only image, and that no key pair is left.
func (a *account) sole(t *testing.T, all ...built) {
	t.Helper()
	for _, r := range all {
		a.reused(t, r)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.pairs {
		t.Errorf("left behind: key pair %s", name)
	}
}

var errScript = errors.New("exit status 1")
