package builder

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

// waiting is a build whose image takes too long: what the cloud has then, and what the journal says.
func waiting(t *testing.T, change func(*fakeEC2, *Config)) (*Builder, *fakeEC2, Config, []Record) {
	t.Helper()
	cloud, j, cfg := newFake(), &notes{}, trivial()
	cloud.pending = true
	b := newBuilder(t, cloud, &fakeMachine{})
	b.Journal = j
	abroad := newFake()
	b.InRegion = func(string) EC2 { return abroad }
	cfg.Waits.Available = time.Minute
	if change != nil {
		change(cloud, &cfg)
	}
	img, err := b.Build(t.Context(), cfg)
	pending, leak := new(PendingError), new(LeakError)
	if !errors.As(err, &pending) || !errors.As(err, &leak) || img.ID != "" || len(cloud.undone) > 0 {
		t.Fatalf("image %q, error %v, took back %q; want nothing but a *PendingError and a *LeakError", img.ID, err, cloud.undone)
	}
	if *pending != (PendingError{Image: "ami-1", Region: "us-east-1", Waited: time.Minute}) {
		t.Errorf("pending: %+v", pending)
	}
	if got := j.said[len(j.said)-1]; got != "left" {
		t.Errorf("the journal ends with %q", got)
	}
	return b, cloud, cfg, j.records
}

// settle is what becomes of the images that are being made.
func (f *fakeEC2) settle(state types.ImageState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = false
	for id, img := range f.images {
		if img.State == types.ImageStatePending {
			img.State = state
			f.images[id] = img
		}
	}
}

// TestResume: an image whose wait was over stays; who goes on with it gets it,
// makes nothing anew, and takes away what was made for it. So does who knows it by its tags alone, or
// from a journal that has something else in place of its name.
func TestResume(t *testing.T) {
	for _, how := range []string{"by the journal", "by tags", "sensitive"} {
		synctest.Test(t, func(t *testing.T) {
			b, cloud, cfg, said := waiting(t, func(_ *fakeEC2, c *Config) {
				c.Output.Regions = []RegionCopy{{Region: "eu-west-1"}}
				if how == "sensitive" {
					c.Sensitive, c.SSH.KeyPairName = []string{"web 1"}, "key of web 1"
				}
			})
			before := len(cloud.calls)
			cloud.settle("available")
			if how == "by tags" {
				var err error
				if said, err = b.Unfinished(t.Context(), cfg); err != nil {
					t.Fatal(err)
				}
			}
			j := &notes{}
			b.Journal = j
			cfg.Waits.Available = time.Hour // that makes no other build of it
			img, err := b.Resume(t.Context(), cfg, said)
			if err != nil {
				t.Fatal(err)
			}
			again := cfg // whose name is not taken
			again.Output.Name = "web 2"
			plan, err := b.Plan(t.Context(), again)
			if err != nil {
				t.Fatal(err)
			}
			want := Image{Fingerprint: plan.Fingerprint, Created: img.Created, ID: "ami-1", Region: "us-east-1", Name: "web 1", Snapshots: []string{"snap-1"}, Copies: map[string]string{"eu-west-1": "ami-3"}, Source: img.Source, Took: img.Took}
			if diff := cmp.Diff(want, img); diff != "" || img.Source.ID != "ami-0" {
				t.Error(diff)
			}
			synctest.Wait() // a look may still be under way
			slices.Sort(cloud.undone)
			if want := []string{"i-1", "key pair", "sg-1"}; !slices.Equal(cloud.undone, want) {
				t.Errorf("took back %q, want %q", cloud.undone, want)
			}
			if len(cloud.calls) != before {
				t.Errorf("made anew: %T", cloud.calls[before:])
			}
			if got := j.said[len(j.said)-1]; got != "ended" {
				t.Errorf("the journal ends with %q", got)
			}
		})
	}
}

// TestResumeDraft: an image under a name of its own becomes that of the name, and the older one goes.
func TestResumeDraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cloud, cfg, said := waiting(t, func(f *fakeEC2, c *Config) {
			f.add("ami-old", "web 1", "available")
			c.Output.ReplaceExisting = true
		})
		cloud.settle("available")
		img, err := b.Resume(t.Context(), cfg, said)
		if err != nil || img.ID != "ami-2" {
			t.Errorf("image %q, error %v", img.ID, err)
		}
		synctest.Wait() // a look may still be under way
		slices.Sort(cloud.undone)
		if want := []string{"ami-1", "ami-old", "i-1", "key pair", "sg-1"}; !slices.Equal(cloud.undone, want) {
			t.Errorf("took back %q, want %q", cloud.undone, want)
		}
	})
}

// TestNoResume: why there is nothing to go on with, and what is taken away then.
func TestNoResume(t *testing.T) {
	tests := []struct {
		name   string
		change func(*fakeEC2, *Config, *[]Record)
		want   string
		undone []string
	}{
		{"failed", func(f *fakeEC2, _ *Config, _ *[]Record) { f.settle("failed") },
			"build ID cannot be gone on with: the image is failed: AWS gives no reason; what it had made is taken away", []string{"ami-1", "i-1", "key pair", "sg-1", "snap-1"}},
		{"another template", func(_ *fakeEC2, c *Config, _ *[]Record) { c.Output.Description = "new" },
			"build ID cannot be gone on with: it is of something else: since then the template, a variable, a file or the source image has changed", nil},
		{"no image", func(f *fakeEC2, _ *Config, _ *[]Record) { f.mu.Lock(); delete(f.images, "ami-1"); f.mu.Unlock() },
			"build ID cannot be gone on with: it has made no image yet", nil},
		{"no beginning", func(_ *fakeEC2, _ *Config, said *[]Record) { *said = (*said)[1:] },
			"there is nothing to go on with: the journal does not say what the build is of", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, cloud, cfg, said := waiting(t, nil)
				id := said[0].Build
				tt.change(cloud, &cfg, &said)
				_, err := b.Resume(t.Context(), cfg, said)
				why := new(NoResumeError)
				if !errors.As(err, &why) || strings.ReplaceAll(why.Error(), id, "ID") != tt.want {
					t.Errorf("error %v, want %s", err, tt.want)
				}
				synctest.Wait() // a look may still be under way
				slices.Sort(cloud.undone)
				if !slices.Equal(cloud.undone, tt.undone) {
					t.Errorf("took back %q, want %q", cloud.undone, tt.undone)
				}
			})
		})
	}
}

// TestStillPending: an image that is still being made when the second wait is over stays too.
func TestStillPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cloud, cfg, said := waiting(t, nil)
		_, err := b.Resume(t.Context(), cfg, said)
		if !errors.As(err, new(*PendingError)) || len(cloud.undone) > 0 {
			t.Errorf("error %v, took back %q", err, cloud.undone)
		}
	})
}

// deaf is a fake that does not answer for images once it has made one.
type deaf struct{ *fakeEC2 }

func (d deaf) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, _ ...options) (*ec2.DescribeImagesOutput, error) {
	if in.Filters != nil && *in.Filters[0].Name == "image-id" {
		return nil, errReset
	}
	return d.fakeEC2.DescribeImages(ctx, in)
}

// TestCannotBeAsked: an image stays too when AWS cannot be asked how it stands.
func TestCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		b := newBuilder(t, cloud, &fakeMachine{})
		b.EC2 = deaf{cloud}
		_, err := b.Build(t.Context(), trivial())
		want := "ami-1 in us-east-1 may still be pending: connection reset by peer; it stays, and AWS goes on making it"
		if pending := new(PendingError); !errors.As(err, &pending) || pending.Error() != want || len(cloud.undone) > 0 {
			t.Errorf("error %v, took back %q; want %s", err, cloud.undone, want)
		}
	})
}

// TestCanceledWhilePending: who cancels wants nothing left, not even an image on its way.
func TestCanceledWhilePending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		cloud.pending = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := newBuilder(t, cloud, &fakeMachine{}).Build(ctx, trivial())
		synctest.Wait() // a look may still be under way
		slices.Sort(cloud.undone)
		if want := []string{"ami-1", "i-1", "key pair", "sg-1", "snap-1"}; !errors.Is(err, context.DeadlineExceeded) || !slices.Equal(cloud.undone, want) {
			t.Errorf("error %v, took back %q, want %q", err, cloud.undone, want)
		}
	})
}

// TestUnfinished: images that are finished, or whose builds are several, are not gone on with.
func TestUnfinished(t *testing.T) {
	image := func(build, expires string) types.TagSpecification {
		return types.TagSpecification{Tags: toTags(map[string]string{TagBuild: build, TagExpires: expires, TagOrder: "x"})}
	}
	for want, images := range map[string][]types.TagSpecification{
		`there is nothing to go on with: no image "web 1" is being made in us-east-1`:                                          {image("000000000001", ExpiresNever), {}},
		`there is nothing to go on with: several builds have begun the image "web 1" in us-east-1: 000000000001, 000000000002`: {image("000000000001", "x"), image("000000000002", "x")},
	} {
		cloud := newFake()
		for i, tags := range images {
			cloud.add("ami-"+string(rune('a'+i)), "web 1", "available", tags)
		}
		_, err := newBuilder(t, cloud, &fakeMachine{}).Unfinished(t.Context(), trivial())
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
