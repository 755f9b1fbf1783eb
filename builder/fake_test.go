package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/provision"
)

// fakeEC2 answers what one build asks, at once, and remembers what it made and
// what was taken back. A call nobody planned panics on its own line.
type fakeEC2 struct {
	EC2
	mu     sync.Mutex
	state  types.InstanceStateName
	images map[string]types.Image
	undone []string
	calls  []any
	tagged []string

	imageFails bool
	pending    bool // images are made, and not done
	leak       bool // nothing can be terminated
}

func newFake() *fakeEC2 {
	return &fakeEC2{images: map[string]types.Image{"ami-0": {
		ImageId: aws.String("ami-0"), Name: aws.String("base"), State: types.ImageStateAvailable,
		RootDeviceType: types.DeviceTypeEbs, RootDeviceName: aws.String("/dev/xvda"),
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{SnapshotId: aws.String("snap-0")}}},
	}}}
}

// undo records that something was taken back.
func (f *fakeEC2) undo(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.undone = append(f.undone, what)
}

// called records a call that makes something.
func (f *fakeEC2) called(in any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, in)
}

// become is the instance's next state.
func (f *fakeEC2) become(state types.InstanceStateName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
}

type options = func(*ec2.Options)

func (f *fakeEC2) DescribeImages(_ context.Context, in *ec2.DescribeImagesInput, _ ...options) (*ec2.DescribeImagesOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := &ec2.DescribeImagesOutput{}
	for _, id := range in.ImageIds {
		img, ok := f.images[id]
		if !ok {
			return nil, &smithy.GenericAPIError{Code: "InvalidAMIID.NotFound", Message: "no " + id}
		}
		out.Images = append(out.Images, img)
	}
	if len(in.Filters) > 0 {
		for _, img := range f.images {
			if !slices.ContainsFunc(in.Filters, func(by types.Filter) bool { return !matches(img, by) }) {
				out.Images = append(out.Images, img)
			}
		}
	}
	return out, nil
}

// matches says whether an image passes a filter.
func matches(img types.Image, by types.Filter) bool {
	var value string
	switch name, _ := strings.CutPrefix(*by.Name, "tag:"); *by.Name {
	case "name":
		return slices.ContainsFunc(by.Values, func(p string) bool { ok, _ := path.Match(p, *img.Name); return ok })
	case "image-id":
		value = *img.ImageId
	case "state":
		value = string(img.State)
	case "tag-key":
		return slices.ContainsFunc(img.Tags, func(t types.Tag) bool { return slices.Contains(by.Values, *t.Key) })
	default:
		return slices.ContainsFunc(img.Tags, func(t types.Tag) bool { return *t.Key == name && slices.Contains(by.Values, *t.Value) })
	}
	return slices.Contains(by.Values, value)
}

func (f *fakeEC2) ImportKeyPair(_ context.Context, in *ec2.ImportKeyPairInput, _ ...options) (*ec2.ImportKeyPairOutput, error) {
	f.called(in)
	return &ec2.ImportKeyPairOutput{KeyPairId: aws.String("key-1")}, nil
}

func (f *fakeEC2) DeleteKeyPair(context.Context, *ec2.DeleteKeyPairInput, ...options) (*ec2.DeleteKeyPairOutput, error) {
	f.undo("key pair")
	return nil, nil
}

func (f *fakeEC2) CreateSecurityGroup(_ context.Context, in *ec2.CreateSecurityGroupInput, _ ...options) (*ec2.CreateSecurityGroupOutput, error) {
	f.called(in)
	return &ec2.CreateSecurityGroupOutput{GroupId: aws.String("sg-1")}, nil
}

func (f *fakeEC2) AuthorizeSecurityGroupIngress(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...options) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	f.called(in)
	return nil, nil
}

func (f *fakeEC2) DeleteSecurityGroup(context.Context, *ec2.DeleteSecurityGroupInput, ...options) (*ec2.DeleteSecurityGroupOutput, error) {
	f.undo("sg-1")
	return nil, nil
}

func (f *fakeEC2) RunInstances(_ context.Context, in *ec2.RunInstancesInput, _ ...options) (*ec2.RunInstancesOutput, error) {
	f.called(in)
	f.become(types.InstanceStateNameRunning)
	return &ec2.RunInstancesOutput{Instances: []types.Instance{{InstanceId: aws.String("i-1")}}}, nil
}

// asked is the first call for something of a name that was not taken back.
func asked[T any](f *fakeEC2, is func(*T) bool, what string) *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if in, ok := c.(*T); ok && is(in) && !slices.Contains(f.undone, what) {
			return in
		}
	}
	return nil
}

func (f *fakeEC2) DescribeKeyPairs(_ context.Context, in *ec2.DescribeKeyPairsInput, _ ...options) (*ec2.DescribeKeyPairsOutput, error) {
	out := &ec2.DescribeKeyPairsOutput{}
	if k := asked(f, func(k *ec2.ImportKeyPairInput) bool { return *k.KeyName == in.Filters[0].Values[0] }, "key pair"); k != nil {
		out.KeyPairs = append(out.KeyPairs, types.KeyPairInfo{KeyName: k.KeyName, KeyPairId: aws.String("key-1"), Tags: k.TagSpecifications[0].Tags})
	}
	return out, nil
}

func (f *fakeEC2) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...options) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	if g := asked(f, func(g *ec2.CreateSecurityGroupInput) bool {
		return len(in.GroupIds) > 0 || *g.GroupName == in.Filters[0].Values[0]
	}, "sg-1"); g != nil {
		found := types.SecurityGroup{GroupId: aws.String("sg-1"), GroupName: g.GroupName, Tags: g.TagSpecifications[0].Tags}
		if rule := asked(f, func(*ec2.AuthorizeSecurityGroupIngressInput) bool { return true }, ""); rule != nil {
			found.IpPermissions = rule.IpPermissions
		}
		out.SecurityGroups = append(out.SecurityGroups, found)
	}
	return out, nil
}

func (f *fakeEC2) DescribeInstances(_ context.Context, in *ec2.DescribeInstancesInput, _ ...options) (*ec2.DescribeInstancesOutput, error) {
	filter := in.Filters[0]
	run := asked(f, func(r *ec2.RunInstancesInput) bool {
		return *filter.Name != "client-token" || *r.ClientToken == filter.Values[0]
	}, "")
	if run == nil {
		return &ec2.DescribeInstancesOutput{}, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := types.Instance{Tags: run.TagSpecifications[0].Tags, InstanceId: aws.String("i-1"), PublicIpAddress: aws.String("192.0.2.1"), State: &types.InstanceState{Name: f.state}}
	return &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: []types.Instance{i}}}}, nil
}

func (f *fakeEC2) StopInstances(context.Context, *ec2.StopInstancesInput, ...options) (*ec2.StopInstancesOutput, error) {
	f.become(types.InstanceStateNameStopped)
	return nil, nil
}

func (f *fakeEC2) TerminateInstances(context.Context, *ec2.TerminateInstancesInput, ...options) (*ec2.TerminateInstancesOutput, error) {
	if f.leak {
		return nil, errors.New("not today")
	}
	f.undo("i-1")
	f.become(types.InstanceStateNameTerminated)
	return nil, nil
}

func (f *fakeEC2) CreateImage(_ context.Context, in *ec2.CreateImageInput, _ ...options) (*ec2.CreateImageOutput, error) {
	f.called(in)
	state := types.ImageStateAvailable
	if f.imageFails {
		state = types.ImageStateFailed
	}
	if f.pending {
		state = types.ImageStatePending
	}
	f.add("ami-1", *in.Name, state, in.TagSpecifications...)
	return &ec2.CreateImageOutput{ImageId: aws.String("ami-1")}, nil
}

func (f *fakeEC2) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...options) (*ec2.CreateTagsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range in.Resources {
		if img, ok := f.images[id]; ok {
			img.Tags = slices.Clone(img.Tags) // others have it
			for _, t := range in.Tags {
				img.Tags = append(slices.DeleteFunc(slices.Clone(img.Tags), func(old types.Tag) bool { return *old.Key == *t.Key }), t)
			}
			f.images[id] = img
		}
	}
	f.tagged = append(f.tagged, strings.Join(in.Resources, " ")+": "+*in.Tags[0].Key+"="+*in.Tags[0].Value)
	return nil, nil
}

func (f *fakeEC2) RegisterImage(_ context.Context, in *ec2.RegisterImageInput, _ ...options) (*ec2.RegisterImageOutput, error) {
	f.called(in)
	f.add("ami-2", *in.Name, types.ImageStateAvailable, in.TagSpecifications...)
	return &ec2.RegisterImageOutput{ImageId: aws.String("ami-2")}, nil
}

func (f *fakeEC2) CopyImage(_ context.Context, in *ec2.CopyImageInput, _ ...options) (*ec2.CopyImageOutput, error) {
	f.called(in)
	f.add("ami-3", *in.Name, types.ImageStateAvailable, in.TagSpecifications...)
	return &ec2.CopyImageOutput{ImageId: aws.String("ami-3")}, nil
}

// add adds an image with the tags of the first specification, if there is one.
func (f *fakeEC2) add(id, name string, state types.ImageState, specs ...types.TagSpecification) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var tags []types.Tag
	for _, s := range specs[:min(len(specs), 1)] {
		tags = s.Tags
	}
	f.images[id] = types.Image{
		ImageId: &id, Name: &name, State: state, Tags: tags,
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{SnapshotId: aws.String("snap-1")}}},
	}
}

// tag puts an image's tags on it.
func (f *fakeEC2) tag(id string, specs []types.TagSpecification) {
	f.mu.Lock()
	defer f.mu.Unlock()
	img := f.images[id]
	img.Tags = specs[0].Tags
	f.images[id] = img
}

func (f *fakeEC2) DeregisterImage(_ context.Context, in *ec2.DeregisterImageInput, _ ...options) (*ec2.DeregisterImageOutput, error) {
	f.undo(*in.ImageId)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.images, *in.ImageId)
	return nil, nil
}

func (f *fakeEC2) DeleteSnapshot(_ context.Context, in *ec2.DeleteSnapshotInput, _ ...options) (*ec2.DeleteSnapshotOutput, error) {
	f.undo(*in.SnapshotId)
	return nil, nil
}

// fakeMachine does nothing well, or what run does.
type fakeMachine struct {
	Machine
	run    func(context.Context) error
	upload func() error
	mu     sync.Mutex
	said   []string // what was run through Output
	tidied string   // the script that made it ready to be captured

	says  string          // a script, before anything else
	found string          // by the scan
	done  <-chan struct{} // closed when the connection is lost; nil: never

	left, awaited *provision.Left
	ready         bool
}

func (m *fakeMachine) Run(ctx context.Context, _ provision.Script, stdout, _ io.Writer) error {
	fmt.Fprint(stdout, m.says+"one\r\ntwo")
	if m.run != nil {
		return m.run(ctx)
	}
	return nil
}

func (m *fakeMachine) Upload(context.Context, provision.Tree, func(provision.Progress)) error {
	if m.upload != nil {
		return m.upload()
	}
	return nil
}

func (m *fakeMachine) Output(_ context.Context, command string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, command)
	return "", nil
}

// OutputOf is asked to make the machine ready to be captured.
func (m *fakeMachine) OutputOf(_ context.Context, _ string, script []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tidied = string(script)
	return m.found + "tidied\n", nil
}

func (m *fakeMachine) Left() *provision.Left { return m.left }

func (m *fakeMachine) Await(_ context.Context, l *provision.Left) (bool, error) {
	m.awaited = l
	return m.ready, nil
}

func (m *fakeMachine) Done() <-chan struct{} { return m.done }
func (m *fakeMachine) Close() error          { return nil }

// newBuilder builds with fakes.
func newBuilder(t *testing.T, cloud *fakeEC2, m *fakeMachine) *Builder {
	t.Helper()
	return &Builder{
		EC2:           cloud,
		PublicAddress: func(context.Context) (netip.Addr, error) { return netip.MustParseAddr("198.51.100.7"), nil },
		Dial: func(context.Context, string, provision.Identity) (Machine, error) {
			return m, nil
		},
	}
}

// trivial is a small Config.
func trivial() Config {
	return Config{
		Name: "web", Region: "us-east-1", Source: Source{ID: "ami-0"},
		Instance: Instance{Type: "t3.micro"}, SSH: SSH{User: "admin"}, Output: Output{Name: "web 1"},
		Steps: []Step{Run{Scripts: []provision.Script{{Name: "nginx.sh", Body: []byte("true")}}}},
	}
}
