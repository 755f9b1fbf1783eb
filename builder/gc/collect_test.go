package gc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
)

// account is a fake region: it lists what it holds once it is visible, and
// refuses what AWS refuses.
type account struct {
	mu       sync.Mutex
	things   []Resource
	hidden   map[string]time.Time // until then it is not listed
	went     []string
	stubborn string              // the id that cannot go
	reveals  map[string]Resource // what is listed once another has gone
}

type options = func(*ec2.Options)

// list returns what one filter lets through, as every Describe call here.
func (a *account) list(kind string, filters []types.Filter) (all []Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.things {
		if r.Kind != kind || a.hidden[r.ID].After(time.Now()) {
			continue
		}
		name, values := *filters[0].Name, filters[0].Values
		has := map[string]bool{
			"tag-key": r.Tags[builder.TagBuild] != "", "instance-id": slices.Contains(values, r.ID), "name": slices.Contains(values, r.Name),
		}[name]
		if strings.Contains(name, "snapshot-id") || strings.Contains(name, "volume-id") || strings.Contains(name, "group-id") || name == "image-id" {
			has = slices.ContainsFunc(r.Uses, func(id string) bool { return slices.Contains(values, id) })
		}
		if has {
			all = append(all, r)
		}
	}
	return all
}

func awsTags(m map[string]string) (all []types.Tag) {
	for k, v := range m {
		all = append(all, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return all
}

func (a *account) DescribeInstances(_ context.Context, in *ec2.DescribeInstancesInput, _ ...options) (*ec2.DescribeInstancesOutput, error) {
	out := &ec2.DescribeInstancesOutput{}
	for _, r := range a.list(Instance, in.Filters) {
		i := types.Instance{InstanceId: aws.String(r.ID), Tags: awsTags(r.Tags), State: &types.InstanceState{Name: types.InstanceStateName(r.State)}}
		for _, id := range r.Uses {
			i.SecurityGroups = append(i.SecurityGroups, types.GroupIdentifier{GroupId: aws.String(id)})
		}
		out.Reservations = append(out.Reservations, types.Reservation{Instances: []types.Instance{i}})
	}
	return out, nil
}

func (a *account) DescribeImages(_ context.Context, in *ec2.DescribeImagesInput, _ ...options) (*ec2.DescribeImagesOutput, error) {
	out := &ec2.DescribeImagesOutput{}
	for _, r := range a.list(Image, in.Filters) {
		i := types.Image{ImageId: aws.String(r.ID), Name: aws.String(r.Name), State: types.ImageState(r.State), Tags: awsTags(r.Tags)}
		for _, id := range r.Uses {
			i.BlockDeviceMappings = append(i.BlockDeviceMappings, types.BlockDeviceMapping{Ebs: &types.EbsBlockDevice{SnapshotId: aws.String(id)}})
		}
		out.Images = append(out.Images, i)
	}
	return out, nil
}

func (a *account) DescribeVolumes(_ context.Context, in *ec2.DescribeVolumesInput, _ ...options) (*ec2.DescribeVolumesOutput, error) {
	out := &ec2.DescribeVolumesOutput{}
	for _, r := range a.list(Volume, in.Filters) {
		out.Volumes = append(out.Volumes, types.Volume{VolumeId: aws.String(r.ID), State: types.VolumeState(r.State), Tags: awsTags(r.Tags)})
	}
	return out, nil
}

func (a *account) DescribeSnapshots(_ context.Context, in *ec2.DescribeSnapshotsInput, _ ...options) (*ec2.DescribeSnapshotsOutput, error) {
	out := &ec2.DescribeSnapshotsOutput{}
	for _, r := range a.list(Snapshot, in.Filters) {
		out.Snapshots = append(out.Snapshots, types.Snapshot{SnapshotId: aws.String(r.ID), State: types.SnapshotState(r.State), Tags: awsTags(r.Tags)})
	}
	return out, nil
}

func (a *account) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...options) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, r := range a.list(Group, in.Filters) {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: aws.String(r.ID), Tags: awsTags(r.Tags)})
	}
	return out, nil
}

func (a *account) DescribeKeyPairs(_ context.Context, in *ec2.DescribeKeyPairsInput, _ ...options) (*ec2.DescribeKeyPairsOutput, error) {
	out := &ec2.DescribeKeyPairsOutput{}
	for _, r := range a.list(KeyPair, in.Filters) {
		out.KeyPairs = append(out.KeyPairs, types.KeyPairInfo{KeyPairId: aws.String(r.ID), Tags: awsTags(r.Tags)})
	}
	return out, nil
}

// drop takes a thing away, unless something uses it.
func (a *account) drop(id *string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.things, func(r Resource) bool { return r.ID == *id })
	used := slices.ContainsFunc(a.things, func(r Resource) bool { return r.State != "terminated" && slices.Contains(r.Uses, *id) })
	switch {
	case *id == a.stubborn:
		return &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "not yours"}
	case i < 0:
		return &smithy.GenericAPIError{Code: "Invalid.NotFound"}
	case used:
		return &smithy.GenericAPIError{Code: "DependencyViolation"}
	case a.things[i].Kind == Instance: // listed for an hour more
		a.things[i].State = "terminated"
	default:
		a.things = slices.Delete(a.things, i, i+1)
	}
	a.went = append(a.went, *id)
	if r, ok := a.reveals[*id]; ok {
		a.things = append(a.things, r)
	}
	return nil
}

func (a *account) TerminateInstances(_ context.Context, in *ec2.TerminateInstancesInput, _ ...options) (*ec2.TerminateInstancesOutput, error) {
	return nil, a.drop(&in.InstanceIds[0])
}
func (a *account) DeregisterImage(_ context.Context, in *ec2.DeregisterImageInput, _ ...options) (*ec2.DeregisterImageOutput, error) {
	return nil, a.drop(in.ImageId)
}
func (a *account) DeleteKeyPair(_ context.Context, in *ec2.DeleteKeyPairInput, _ ...options) (*ec2.DeleteKeyPairOutput, error) {
	return nil, a.drop(in.KeyPairId)
}
func (a *account) DeleteSecurityGroup(_ context.Context, in *ec2.DeleteSecurityGroupInput, _ ...options) (*ec2.DeleteSecurityGroupOutput, error) {
	return nil, a.drop(in.GroupId)
}
func (a *account) DeleteSnapshot(_ context.Context, in *ec2.DeleteSnapshotInput, _ ...options) (*ec2.DeleteSnapshotOutput, error) {
	return nil, a.drop(in.SnapshotId)
}
func (a *account) DeleteVolume(_ context.Context, in *ec2.DeleteVolumeInput, _ ...options) (*ec2.DeleteVolumeOutput, error) {
	return nil, a.drop(in.VolumeId)
}

// full is an account with all that a build can leave, and with what is not its.
func full() *account {
	return &account{things: []Resource{
		res(Instance, "i-1", "running", future, "sg-1"), res(Group, "sg-1", "", future), res(KeyPair, "key-1", "", future),
		res(Image, "ami-1", "pending", future, "snap-1"), res(Snapshot, "snap-1", "pending", future), res(Volume, "vol-1", "available", future),
		{Kind: Instance, ID: "i-9", State: "running", Tags: map[string]string{"Name": "imago web"}},
	}}
}

func collector(a *account, b Build) *Collector {
	b.ID = "0123456789ab"
	return &Collector{InRegion: func(string) EC2 { return a }, Regions: []string{"us-east-1"}, Builds: []Build{b}}
}

// TestCollect: everything of a build that is gone goes, users before what they use.
func TestCollect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := full()
		c := collector(a, Build{State: Gone})
		plan, err := c.Plan(t.Context())
		if err != nil || len(plan) != 6 || len(a.went) != 0 {
			t.Fatalf("plan %v, %v; went %q", plan, err, a.went)
		}
		var told []string
		c.OnRemoved = func(v Verdict, err error) { told = append(told, v.ID) }
		settled, err := c.Collect(t.Context())
		if err != nil || !slices.Equal(settled, []string{"0123456789ab"}) {
			t.Errorf("settled %q, %v", settled, err)
		}
		want := []string{"i-1", "ami-1", "key-1", "vol-1", "snap-1", "sg-1"}
		if !slices.Equal(a.went, want) || !slices.Equal(told, want) {
			t.Errorf("went %q, told %q, want %q", a.went, told, want)
		}
	})
}

// TestCollectAgain: what shows only when something else has gone goes too.
func TestCollectAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{
			things:  []Resource{res(Image, "ami-1", "pending", future)},
			reveals: map[string]Resource{"ami-1": res(Snapshot, "snap-1", "completed", future)},
		}
		if _, err := collector(a, Build{State: Gone}).Collect(t.Context()); err != nil || len(a.things) > 0 {
			t.Errorf("left %v, %v", a.things, err)
		}
	})
}

// TestCollectDrafts: a draft goes beside an image of its name, which need not be a build's.
func TestCollectDrafts(t *testing.T) {
	for name, want := range map[string][]string{"web": {"ami-2"}, "web?": nil} {
		synctest.Test(t, func(t *testing.T) {
			a := &account{things: []Resource{
				named(res(Image, "ami-2", "available", future), "web imago-0123456789ab", "web"),
				{Kind: Image, ID: "ami-1", Region: "us-east-1", State: "available", Name: name},
			}}
			if _, err := collector(a, Build{State: Gone}).Collect(t.Context()); err != nil || !slices.Equal(a.went, want) {
				t.Errorf("%s: went %q, %v; want %q", name, a.went, err, want)
			}
		})
	}
}

// TestCollectSpares: neither a living build nor one that was not asked for.
func TestCollectSpares(t *testing.T) {
	for name, change := range map[string]func(*Collector){
		"living": func(c *Collector) { c.Builds[0].State = Living }, "left": func(c *Collector) { c.Builds[0].State = Left },
		"unknown": func(c *Collector) { c.Builds = nil }, "another": func(c *Collector) { c.Only = []string{"000000000000"} },
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(now.Add(-time.Hour).Sub(time.Now())) // nothing has expired
			a := full()
			c := collector(a, Build{State: Gone})
			change(c)
			if settled, err := c.Collect(t.Context()); err != nil || len(a.went)+len(settled) != 0 {
				t.Errorf("%s: went %q, settled %q, %v", name, a.went, settled, err)
			}
		})
	}
}

// TestCollectWaits: what the journal speaks of and AWS does not list yet is waited for, a minute and no more.
func TestCollectWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		hidden, since, want time.Duration
		went                int
	}{
		"listed late": {20 * time.Second, 0, 20 * time.Second, 1}, "never made": {time.Hour, 0, time.Minute, 0},
		"long ago": {time.Hour, -2 * time.Minute, 0, 0}, "listed": {0, 0, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			start, waits := time.Now(), 0
			a := &account{things: []Resource{res(Instance, "i-1", "running", future)}, hidden: map[string]time.Time{"i-1": start.Add(tt.hidden)}}
			c := collector(a, Build{State: Gone, Things: []Thing{{Kind: Instance, Region: "us-east-1", Since: start.Add(tt.since)}}})
			c.OnWait = func(time.Duration) { waits++ }
			settled, err := c.Collect(t.Context())
			took := time.Since(start)
			if err != nil || len(settled) != 1 || len(a.went) != tt.went || took < tt.want || took > tt.want+3*time.Second || (waits == 1) != (tt.want > 0) {
				t.Errorf("%s: after %v: went %q, settled %q, told of %d waits, %v", name, took, a.went, settled, waits, err)
			}
		})
	}
}

// TestTwoCollect: two people at once take everything away, and neither is told of an error.
func TestTwoCollect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := full()
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i := range errs {
			both.Go(func() { _, errs[i] = collector(a, Build{State: Gone}).Collect(t.Context()) })
		}
		both.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if left := slices.DeleteFunc(a.things, func(r Resource) bool { return r.State == "terminated" }); len(left) != 1 || left[0].ID != "i-9" {
			t.Errorf("left %v", left)
		}
	})
}

// TestCollectLeaks: what cannot go is named, the rest goes, and the journal is needed once more.
func TestCollectLeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := full()
		a.stubborn = "vol-1"
		settled, err := collector(a, Build{State: Gone}).Collect(t.Context())
		if want := "left behind: volume vol-1: api error UnauthorizedOperation: not yours"; err == nil || err.Error() != want || settled != nil {
			t.Errorf("settled %q, error %v, want %s", settled, err, want)
		}
		if leak := new(builder.LeakError); !errors.As(err, &leak) {
			t.Errorf("%T is no LeakError", err)
		}
		if diff := cmp.Diff([]string{"i-1", "ami-1", "key-1", "snap-1", "sg-1"}, a.went); diff != "" {
			t.Error(diff)
		}
	})
}

// TestForeign: a journal of another account, or of a region that was not looked in, is not done with.
func TestForeign(t *testing.T) {
	for name, b := range map[string]Build{
		"account": {State: Gone, Account: "111111111111"},
		"region":  {State: Gone, Things: []Thing{{Kind: Image, Region: "eu-west-1"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := collector(&account{}, b)
			c.Account = "222222222222"
			if settled, err := c.Collect(t.Context()); err != nil || len(settled) != 0 {
				t.Errorf("%s: settled %q, %v", name, settled, err)
			}
		})
	}
}
