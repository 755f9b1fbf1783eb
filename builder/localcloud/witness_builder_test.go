package localcloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/iam"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/provision"
)

// quiet is a machine on which everything works. run is what its only script does.
type quiet struct {
	builder.Machine
	run func()
}

func (quiet) Output(context.Context, string) (string, error) { return "", nil }
func (quiet) OutputOf(context.Context, string, []byte) (string, error) {
	return "tidied\n", nil
}
func (quiet) Left() *provision.Left { return nil }
func (quiet) Done() <-chan struct{} { return nil }
func (quiet) Close() error          { return nil }
func (q quiet) Run(context.Context, provision.Script, io.Writer, io.Writer) error {
	if q.run != nil {
		q.run()
	}
	return nil
}

// baker bakes on a local cloud whose machines are not there, as imago's own
// command does it on AWS: with AWS's SDK and the builder's policy.
type baker struct {
	t     *testing.T
	cloud *localcloud.Cloud
	sdk   aws.Config
	calls builder.Calls
	cfg   builder.Config
	run   func()
	event func(builder.Event)

	mu    sync.Mutex
	notes []string
}

func newBaker(t *testing.T, rules ...localcloud.FaultRule) *baker {
	cloud, image := localcloud.OpenTest(t, rules...)
	config, transport := sdk(cloud.Env()), &http.Transport{}
	config.HTTPClient = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections) // else the cloud waits for those that were never used
	return &baker{t: t, cloud: cloud, sdk: config, cfg: builder.Config{
		Name: "web", Region: "us-east-1", Source: builder.Source{ID: image},
		Instance: builder.Instance{Type: "t3.micro"}, SSH: builder.SSH{User: "admin"}, Output: builder.Output{Name: "web 1"},
		Steps: []builder.Step{builder.Run{Scripts: []provision.Script{{Name: "true"}}}},
	}}
}

func (b *baker) bake(ctx context.Context) (builder.Image, error) {
	cfg := b.sdk.Copy()
	b.calls.Configure(&cfg)
	return (&builder.Builder{
		EC2:           ec2.NewFromConfig(cfg),
		Profiles:      iam.New(b.sdk, *b.sdk.BaseEndpoint),
		InRegion:      func(r string) builder.EC2 { return ec2.NewFromConfig(cfg, func(o *ec2.Options) { o.Region = r }) },
		PublicAddress: func(context.Context) (netip.Addr, error) { return netip.MustParseAddr("127.0.0.1"), nil },
		Dial: func(context.Context, string, provision.Identity) (builder.Machine, error) {
			return quiet{run: b.run}, nil
		},
		OnEvent: func(e builder.Event) {
			if note, ok := e.(builder.Note); ok {
				b.mu.Lock()
				b.notes = append(b.notes, note.Text)
				b.mu.Unlock()
			}
			if b.event != nil {
				b.event(e)
			}
		},
	}).Build(ctx, b.cfg)
}

// left is what there is in the cloud: the state of every instance, and how many
// there are of everything else.
type left struct {
	Instances             []string
	Images, Pairs, Groups int // of our own; groups without the default ones
}

func (b *baker) left() (l left) {
	b.t.Helper()
	b.faults("")
	client, ctx := client(b.cloud, 1), context.WithoutCancel(b.t.Context())
	for _, i := range b.instances() {
		l.Instances = append(l.Instances, string(i.State.Name))
	}
	l.Images = len(must[*ec2.DescribeImagesOutput](b.t)(client.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"web 1"}}}})).Images)
	l.Pairs = len(must[*ec2.DescribeKeyPairsOutput](b.t)(client.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{})).KeyPairs)
	for _, g := range must[*ec2.DescribeSecurityGroupsOutput](b.t)(client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})).SecurityGroups {
		if *g.GroupName != "default" {
			l.Groups++
		}
	}
	return l
}

func (b *baker) instances() (all []types.Instance) {
	b.t.Helper()
	out := must[*ec2.DescribeInstancesOutput](b.t)(client(b.cloud, 1).DescribeInstances(context.WithoutCancel(b.t.Context()), &ec2.DescribeInstancesInput{}))
	for _, r := range out.Reservations {
		all = append(all, r.Instances...)
	}
	return all
}

// faults replaces the fault rules.
func (b *baker) faults(file string) {
	asker := must[*localcloud.Client](b.t)(localcloud.NewClient(localcloud.StateDir(b.cloud)))
	ctx := context.WithoutCancel(b.t.Context())
	err := asker.ClearFaults(ctx)
	if file != "" {
		err = asker.SetFaults(ctx, []byte(file))
	}
	if err != nil {
		b.t.Error(err)
	}
}

// done is what a bake leaves that succeeded; nothing, what one leaves that did not.
func done() left    { return left{Instances: []string{"terminated"}, Images: 1} }
func nothing() left { return left{Instances: []string{"terminated"}} }

// TestBakesInBadWeather: each kind of trouble that passes, and the bake succeeds.
func TestBakesInBadWeather(t *testing.T) {
	some := []int{1, 2, 4, 6, 7, 9, 12, 15, 16}
	for name, rule := range map[string]localcloud.FaultRule{
		"throttled":       {Action: "*", Nth: some, Error: "RequestLimitExceeded"},
		"unavailable":     {Action: "*", Nth: some, Error: "Unavailable"},
		"internal error":  {Action: "*", Nth: some, Error: "InternalError"},
		"another of 5xx":  {Action: "*", Nth: some, Error: "InsufficientVolumeCapacity"},
		"reset":           {Action: "*", Nth: some, Reset: "before"},
		"lost launch":     {Action: "RunInstances", Times: 3, Reset: "after"},
		"lost rule":       {Action: "AuthorizeSecurityGroupIngress", Times: 2, Reset: "after"},
		"lost copy":       {Action: "CopyImage", Times: 2, Reset: "after"},
		"lost stop":       {Action: "StopInstances", Times: 2, Reset: "after"},
		"lost end":        {Action: "TerminateInstances", Times: 2, Reset: "after"},
		"lost answers":    {Action: "Describe*", Nth: some, Reset: "after"},
		"what is new":     {Action: "*", Consistency: localcloud.Span(time.Second)},
		"new in one call": {Action: "CreateSecurityGroup", Consistency: localcloud.Span(2 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBaker(t)
			b.cfg.Output.Regions = []builder.RegionCopy{{Region: "eu-west-1"}}
			b.cfg.Output.Users = []string{"111122223333"}
			b.faults(rules(t, localcloud.Faults{Rules: []localcloud.FaultRule{rule}}))
			img, err := b.bake(t.Context())
			if err != nil || len(img.Copies) != 1 {
				t.Fatalf("copies %v, %v", img.Copies, err)
			}
			if diff := cmp.Diff(done(), b.left()); diff != "" {
				t.Errorf("left, -want +got:\n%s", diff)
			}
		})
	}
}

// rules is a fault file.
func rules(t *testing.T, f localcloud.Faults) string {
	return string(must[[]byte](t)(json.Marshal(f)))
}

// TestTakesBackWhatIsNotKnownYet: who cancels before AWS knows what it has made
// leaves nothing: that AWS does not find it does not mean that it is not there.
func TestTakesBackWhatIsNotKnownYet(t *testing.T) {
	for _, kind := range []string{builder.KindGroup, builder.KindInstance, builder.KindImage} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBaker(t, localcloud.FaultRule{Action: "*", Consistency: localcloud.Span(time.Second)})
			ctx, cancel := context.WithCancel(t.Context())
			b.event = func(e builder.Event) {
				if made, ok := e.(builder.Created); ok && made.Kind == kind {
					cancel()
				}
			}
			if _, err := b.bake(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			want := nothing()
			if kind == builder.KindGroup {
				want.Instances = nil
			}
			if diff := cmp.Diff(want, b.left()); diff != "" {
				t.Errorf("left, -want +got:\n%s", diff)
			}
		})
	}
}

// TestWhatTheUserNamesIsThereOrNot: that something of the user's is not found is final at once.
func TestWhatTheUserNamesIsThereOrNot(t *testing.T) {
	t.Parallel()
	b := newBaker(t, localcloud.FaultRule{Action: "RunInstances", Delay: localcloud.Span(time.Millisecond)})
	b.cfg.Network.SecurityGroups = []string{"sg-0123456789abcdef0"}
	_, err := b.bake(t.Context())
	if codeOf(err) != "InvalidGroup.NotFound" {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([][2]int{{1, 1}}, struck(t, localcloud.StateDir(b.cloud))); diff != "" {
		t.Errorf("calls, struck, -want +got:\n%s", diff)
	}
}

// TestTries: the user's own bound of tries.
func TestTries(t *testing.T) {
	t.Parallel()
	b := newBaker(t, localcloud.FaultRule{Action: "DescribeImages", Error: "Unavailable"})
	b.calls.Tries = 2
	b.cfg.Output.SkipImage = true
	if _, err := b.bake(t.Context()); codeOf(err) != "Unavailable" {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([][2]int{{2, 2}}, struck(t, localcloud.StateDir(b.cloud))); diff != "" {
		t.Errorf("calls, struck, -want +got:\n%s", diff)
	}
}

// TestSlow: who minds the builder hears, once a call, of one that is made again for long.
func TestSlow(t *testing.T) {
	t.Parallel()
	b := newBaker(t, localcloud.FaultRule{Action: "CreateImage", Times: 4, Error: "RequestLimitExceeded"})
	var told []string
	b.calls.Slow = time.Nanosecond
	b.calls.OnSlow = func(action, reason string) { told = append(told, action+": "+reason) }
	if _, err := b.bake(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"CreateImage: RequestLimitExceeded: Request limit exceeded."}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// TestCanceledWhileThrottled: who cancels need not wait for a call that AWS has refused, and nothing is in doubt.
func TestCanceledWhileThrottled(t *testing.T) {
	t.Parallel()
	b := newBaker(t, localcloud.FaultRule{Action: "RunInstances", Error: "RequestLimitExceeded"})
	ctx, cancel := context.WithCancel(t.Context())
	b.calls.Slow, b.calls.OnSlow = time.Nanosecond, func(string, string) { cancel() }
	_, err := b.bake(ctx)
	if leak := new(builder.LeakError); codeOf(err) != "RequestLimitExceeded" || !errors.Is(err, context.Canceled) || errors.As(err, &leak) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(left{}, b.left()); diff != "" {
		t.Errorf("left, -want +got:\n%s", diff)
	}
}

// TestPatience: an outage that does not pass ends the bake, with how long it was tried and AWS's words.
func TestPatience(t *testing.T) {
	t.Parallel()
	b := newBaker(t, localcloud.FaultRule{Action: "DescribeImages", Error: "Unavailable"})
	b.calls.Patience = time.Second
	b.cfg.Output.SkipImage = true
	_, err := b.bake(t.Context())
	want := `^plan: look up source image ami-[0-9a-f]+: operation error EC2: DescribeImages, tried for \d+s: .* api error Unavailable: The service is unavailable\. Please try again shortly\.$`
	if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
		t.Errorf("error %v, want %s", err, want)
	}
}
