package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
)

// releases is an account with n images of web, a day apart, each of a snapshot of its own.
func releases(n int) *account {
	a := &account{}
	for i := range n {
		a.add(fmt.Sprint("ami-", i), fmt.Sprint("web ", i), time.Now().AddDate(0, 0, i-n),
			awsTags("imago:build", "0123456789ab", "imago:image", "web", "imago:expires", "never"), fmt.Sprint("snap-", i))
	}
	return a
}

func pruner(a *account, keep int) *Pruner {
	return &Pruner{InRegion: func(string) Cloud { return a.cloud() }, Regions: []string{"us-east-1"}, Policy: Policy{Bound: Bound{Keep: keep}}}
}

// left is what an account holds still.
func (a *account) left() (all []string) {
	for _, i := range a.images {
		all = append(all, *i.ImageId)
	}
	for _, s := range a.snapshots {
		all = append(all, strings.TrimSpace(*s.SnapshotId+" "+strings.Join(tagValues(s.Tags, "tag:"+TagPruned), " ")))
	}
	return all
}

// TestPrune: the newest goes first, marked before it goes; and everything is told.
func TestPrune(t *testing.T) {
	a := releases(4)
	p := pruner(a, 2)
	if r, err := p.Plan(t.Context()); err != nil || len(Removed(r.Decisions)) != 2 || len(a.calls) > 0 {
		t.Fatalf("the plan is %+v, %v; calls %q", r, err, a.calls)
	}
	var told []string
	p.OnImage = func(d Decision, err error) {
		told = append(told, fmt.Sprint(d.ID, " ", d.Remove, " ", d.Why, " ", err))
	}
	r, err := p.Prune(t.Context())
	if err != nil || len(r.Decisions) != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]string{
		"CreateTags snap-1", "DeregisterImage ami-1", "DeleteSnapshot snap-1", "CreateTags snap-0", "DeregisterImage ami-0", "DeleteSnapshot snap-0",
	}, a.calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ami-1 true not one of the newest 2 <nil>", "ami-0 true not one of the newest 2 <nil>"}, told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ami-2", "ami-3", "snap-2", "snap-3"}, a.left()); diff != "" {
		t.Error(diff)
	}
}

// TestPruneLooksAgain: what begins to need an image after the first look keeps it, and its snapshots are not marked any more.
func TestPruneLooksAgain(t *testing.T) {
	for want, need := range map[string]func(a *account){
		"in use by instance i-1 (pending)": func(a *account) {
			a.instances = []types.Instance{{InstanceId: aws.String("i-1"), ImageId: aws.String("ami-0"), State: &types.InstanceState{Name: "pending"}}}
		},
		"shared with 111122223333": func(a *account) {
			a.perms = map[string][]types.LaunchPermission{"ami-0": {{UserId: aws.String("111122223333")}}}
		},
		"protected from deregistration": func(a *account) { a.images[0].DeregistrationProtection = aws.String("enabled-without-cooldown") },
		"its tags have changed":         func(a *account) { a.images[0].Tags = awsTags("imago:build", "0123456789ab") },
		"the parent of ami-9 (mine), which stays": func(a *account) {
			a.add("ami-9", "mine", time.Now(), nil, "snap-9").SourceImageId = aws.String("ami-0")
		},
		"the parent of ami-8 (forced), which stays": func(a *account) {
			a.add("ami-8", "forced", time.Now(), awsTags("imago:inputs", "1 imago=a source=ami-0 options=b steps=c"), "snap-8")
		},
	} {
		a := releases(2)
		a.watch = func(action, id string) {
			if action == "CreateTags" {
				need(a)
			}
		}
		r, err := pruner(a, 1).Prune(t.Context())
		i := slices.IndexFunc(r.Decisions, func(d Decision) bool { return d.ID == "ami-0" })
		if err != nil || i < 0 || r.Decisions[i].Remove || !r.Decisions[i].Spared || r.Decisions[i].Why != want {
			t.Errorf("%s: %+v, %v", want, r.Decisions, err)
		}
		if diff := cmp.Diff([]string{"CreateTags snap-0", "DeleteTags snap-0"}, a.calls); diff != "" {
			t.Errorf("%s: %s", want, diff)
		}
	}
}

// TestPruneLeaks: a snapshot that cannot be deleted is named, and the next prune deletes it.
func TestPruneLeaks(t *testing.T) {
	a := releases(3)
	a.fails = func(action string) (before, after error) {
		if action == "DeleteSnapshot" {
			before = apiError("UnauthorizedOperation")
		}
		return before, nil
	}
	_, err := pruner(a, 2).Prune(t.Context())
	want := "left behind: snapshot snap-0: api error UnauthorizedOperation: said the fake; the next prune deletes it"
	if leak := new(builder.LeakError); err == nil || err.Error() != want || !errors.As(err, &leak) {
		t.Errorf("got %v, want %s", err, want)
	}
	if diff := cmp.Diff([]string{"ami-1", "ami-2", "snap-0 ami-0", "snap-1", "snap-2"}, a.left()); diff != "" {
		t.Error(diff)
	}
	a.fails = nil
	r, err := pruner(a, 2).Prune(t.Context())
	if diff := cmp.Diff([]Snapshot{{"snap-0", "us-east-1", "ami-0"}}, r.Orphans); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if diff := cmp.Diff([]string{"ami-1", "ami-2", "snap-1", "snap-2"}, a.left()); diff != "" {
		t.Error(diff)
	}
}

// TestPruneRefused: an image that AWS does not let go stays as it was.
func TestPruneRefused(t *testing.T) {
	for code, want := range map[string][]string{
		"UnauthorizedOperation": {"ami-0", "ami-1", "snap-0", "snap-1"},
		"InternalError":         {"ami-0", "ami-1", "snap-0 ami-0", "snap-1"}, // it may yet go
	} {
		a := releases(2)
		a.fails = func(action string) (before, after error) {
			if action == "DeregisterImage" {
				before = apiError(code)
			}
			return before, nil
		}
		_, err := pruner(a, 1).Prune(t.Context())
		if text := "left behind: image ami-0: api error " + code + ": said the fake"; err == nil || err.Error() != text {
			t.Errorf("got %v, want %s", err, text)
		}
		if diff := cmp.Diff(want, a.left()); diff != "" {
			t.Errorf("%s: %s", code, diff)
		}
	}
}

// TestPruneLostAnswer: an image that went, though AWS's answer did not come, takes its snapshots with it.
func TestPruneLostAnswer(t *testing.T) {
	a := releases(2)
	a.fails = func(action string) (before, after error) {
		if action == "DeregisterImage" {
			after = errors.New("the connection was reset")
		}
		return nil, after
	}
	if _, err := pruner(a, 1).Prune(t.Context()); err != nil || !slices.Equal(a.left(), []string{"ami-1", "snap-1"}) {
		t.Errorf("left %q, %v", a.left(), err)
	}
}

// TestPruneStaleMark: a mark that a killed prune has left on an image which is needed now goes.
func TestPruneStaleMark(t *testing.T) {
	a := releases(2)
	for i := range a.snapshots {
		a.snapshots[i].Tags = awsTags(TagPruned, fmt.Sprint("ami-", i))
	}
	a.instances = []types.Instance{{InstanceId: aws.String("i-1"), ImageId: aws.String("ami-0"), State: &types.InstanceState{Name: "running"}}}
	if _, err := pruner(a, 1).Prune(t.Context()); err != nil || !slices.Equal(a.left(), []string{"ami-0", "ami-1", "snap-0", "snap-1"}) {
		t.Errorf("left %q, %v", a.left(), err)
	}
}

// TestPruneDenied: without seeing all that may need an image, nothing goes, and every permission that is missing is named.
func TestPruneDenied(t *testing.T) {
	for _, denied := range [][]string{
		{"DescribeAutoScalingGroups"}, {"DescribeLaunchConfigurations"}, {"DescribeInstances", "DescribeLaunchTemplates"},
		{"DescribeLaunchTemplateVersions"}, {"DescribeImageAttribute"}, {"DescribeSnapshotAttribute"}, {"GetParameter"}, {"DescribeSnapshots", "DescribeImages"},
	} {
		a := releases(2)
		a.templates = []types.LaunchTemplate{{LaunchTemplateId: aws.String("lt-1"), LatestVersionNumber: aws.Int64(1), DefaultVersionNumber: aws.Int64(1)}}
		a.versions = map[string][]types.LaunchTemplateVersion{"lt-1": {{VersionNumber: aws.Int64(1), LaunchTemplateData: &types.ResponseLaunchTemplateData{ImageId: aws.String("resolve:ssm:/web")}}}}
		a.fails = func(action string) (before, after error) {
			if slices.Contains(denied, action) {
				before = apiError(map[bool]string{true: "AccessDenied", false: "UnauthorizedOperation"}[strings.Contains(action, "Scaling")])
			}
			return before, nil
		}
		_, err := pruner(a, 1).Prune(t.Context())
		if d := new(DeniedError); !errors.As(err, &d) || len(a.calls) > 0 {
			t.Errorf("%s: %v; calls %q", denied, err, a.calls)
			continue
		}
		for _, action := range denied {
			if !strings.Contains(err.Error(), ":"+action) {
				t.Errorf("the error does not name %s: %v", action, err)
			}
		}
	}
}

// TestPruneWaits: AWS may take a while to notice that a snapshot's image has gone.
func TestPruneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := releases(2)
		start := time.Now()
		a.fails = func(action string) (before, after error) {
			if action == "DeleteSnapshot" && time.Since(start) < 20*time.Second {
				before = apiError("InvalidSnapshot.InUse")
			}
			return before, nil
		}
		if _, err := pruner(a, 1).Prune(t.Context()); err != nil || !slices.Equal(a.left(), []string{"ami-1", "snap-1"}) {
			t.Errorf("left %q, %v", a.left(), err)
		}
	})
}

// TestTwoPrune: two people at once take away what each would, and neither is told of an error.
func TestTwoPrune(t *testing.T) {
	a := releases(20)
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { _, errs[i] = pruner(a, 2).Prune(t.Context()) })
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil || !slices.Equal(a.left(), []string{"ami-18", "ami-19", "snap-18", "snap-19"}) {
		t.Errorf("left %q, %v", a.left(), err)
	}
}

// TestPruneCanceled: what was begun is ended, and the rest stays.
func TestPruneCanceled(t *testing.T) {
	a := releases(3)
	ctx, cancel := context.WithCancel(t.Context())
	a.watch = func(action, id string) {
		if action == "DeregisterImage" {
			cancel()
		}
	}
	r, err := pruner(a, 1).Prune(ctx)
	if !errors.Is(err, context.Canceled) || !slices.Equal(a.left(), []string{"ami-0", "ami-2", "snap-0", "snap-2"}) || len(Removed(r.Decisions)) != 1 {
		t.Errorf("left %q, %v; %+v", a.left(), err, r)
	}
}

// TestRegions: an image's copy elsewhere is counted there.
func TestRegions(t *testing.T) {
	east, west := releases(3), releases(2)
	p := pruner(east, 2)
	p.Regions = []string{"us-east-1", "us-west-2"}
	p.InRegion = func(region string) Cloud {
		return map[string]*account{"us-east-1": east, "us-west-2": west}[region].cloud()
	}
	if _, err := p.Prune(t.Context()); err != nil || len(east.images) != 2 || len(west.images) != 2 {
		t.Errorf("%d and %d images are left, %v", len(east.images), len(west.images), err)
	}
}
