package builder

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/provision"
)

// west makes the builds of an account copy to us-west-2.
func west(a *account) {
	a.config = func(c *Config) { c.Output.Regions = []RegionCopy{{Region: "us-west-2"}} }
}

// abroad is a region where copies take their time.
type abroad struct{ *fakeEC2 }

func (r abroad) CopyImage(_ context.Context, in *ec2.CopyImageInput, _ ...options) (*ec2.CopyImageOutput, error) {
	r.called(in)
	r.add("ami-w", *in.Name, types.ImageStatePending, in.TagSpecifications...)
	return &ec2.CopyImageOutput{ImageId: aws.String("ami-w")}, nil
}

// TestCopiesAloneClaimNothing: a build that keeps its copies alone is not overtaken by the
// image of another in its own region, of which it would never hear, and waits for nobody.
func TestCopiesAloneClaimNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		b1, _ := a.builder(t, time.Minute)
		a.sole(t, <-start(t, b1, "web 1"))
		west(a)
		copies := a.config
		a.config = func(c *Config) { copies(c); c.Output.SkipBuildRegion = true }
		b2, x2 := a.builder(t, time.Minute)
		b2.InRegion = func(string) EC2 { return newFake() }
		ctx, cancel := context.WithCancel(t.Context())
		x2.at = func(n int) {
			if n > 1000 { // it bakes again and again
				cancel()
			}
		}
		cfg := trivial()
		cfg.Output.Name = "web 2"
		a.config(&cfg)
		img, err := b2.Build(ctx, cfg)
		if err != nil || img.ID != "ami-3" || img.Region != "us-west-2" || img.Took >= time.Minute+visible || a.launched() != 2 {
			t.Errorf("%+v, %v; %d machines", img, err, a.launched())
		}
	})
}

// TestChangedIsNotHandedOver: an image without a fingerprint is not looked for by it in the end.
func TestChangedIsNotHandedOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		b, x := a.builder(t, 0)
		x.machine.upload = func() error { return os.WriteFile(file, []byte("2"), 0o644) }
		a.config = func(c *Config) {
			c.Steps = []Step{Upload{Trees: []provision.Tree{{Source: file, Dest: "/srv/file"}}}}
		}
		r := <-start(t, b, "web 1")
		if a.sole(t, r); r.Fingerprint != "" || r.Took >= visible {
			t.Errorf("%+v", r)
		}
	})
}

// TestAdoptedCopy: a copy that is gone on with is not taken back by the build that began it, when that comes back.
func TestAdoptedCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, there := newAccount(), abroad{newFake()}
		west(a)
		b1, x1 := a.builder(t, time.Minute)
		b1.InRegion = func(string) EC2 { return there }
		first := start(t, b1, "web 1")
		time.Sleep(70 * time.Second) // it waits for its copy
		b2, _ := a.builder(t, time.Minute)
		b2.InRegion = b1.InRegion
		second := start(t, b2, "web 1")
		time.Sleep(10 * time.Second)
		wake := x1.sleep()
		time.Sleep(2 * time.Minute)
		wake()
		time.Sleep(2 * time.Minute)
		there.settle(types.ImageStateAvailable)
		for _, r := range []built{<-first, <-second} {
			a.sole(t, r)
			if want := map[string]string{"us-west-2": "ami-w"}; !maps.Equal(r.Copies, want) || a.launched() != 1 {
				t.Errorf("copies %v, want %v; %d machines", r.Copies, want, a.launched())
			}
		}
		if len(there.undone) > 0 || len(there.calls) != 1 {
			t.Errorf("took back %q; %d copies", there.undone, len(there.calls))
		}
	})
}

// hasty is a region whose caller is canceled when it wants a copy.
type hasty struct {
	*fakeEC2
	cancel context.CancelFunc
}

func (r hasty) CopyImage(context.Context, *ec2.CopyImageInput, ...options) (*ec2.CopyImageOutput, error) {
	r.cancel()
	return nil, &smithy.GenericAPIError{Code: "RequestLimitExceeded"}
}

// TestAdoptedStays: an image that was gone on with stays from when others can find it, whatever becomes of its copies.
func TestAdoptedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		_, _, cfg, _ := left(t, a)
		a.settle(types.ImageStateAvailable)
		made := a.images()
		west(a)
		a.config(&cfg)
		b, _ := a.builder(t, time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		b.InRegion = func(string) EC2 { return hasty{newFake(), cancel} }
		_, err := b.Build(ctx, cfg)
		if ids := a.images(); err == nil || !slices.Equal(ids, made) {
			t.Errorf("error %v; of %q there are %q", err, made, ids)
		}
	})
}
