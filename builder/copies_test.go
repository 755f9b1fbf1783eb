package builder

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// region is a fake whose first copies do not succeed.
type region struct {
	*fakeEC2
	failed  int // so many copies come to be failed images
	refused error
	tokens  []string
}

func (r *region) CopyImage(ctx context.Context, in *ec2.CopyImageInput, o ...options) (*ec2.CopyImageOutput, error) {
	r.tokens = append(r.tokens, *in.ClientToken)
	if r.refused != nil {
		return nil, r.refused
	}
	if out, err := r.fakeEC2.CopyImage(ctx, in, o...); len(r.tokens) > r.failed {
		return out, err
	}
	r.add("ami-3", *in.Name, types.ImageStateFailed, in.TagSpecifications...)
	return &ec2.CopyImageOutput{ImageId: aws.String("ami-3")}, nil
}

// TestCopies: a region that does not get its copy is tried again alone, and takes nothing from the others.
func TestCopies(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "KMSKeyNotAccessible", Message: "no such key"}
	tests := []struct {
		name    string
		west    region
		skip    bool // the region of the build
		image   string
		copies  map[string]string
		tries   int
		undone  []string // in the region of the build, without what a build makes for itself
		err     string
		missing bool
	}{
		{name: "all well", image: "ami-1", copies: map[string]string{"eu-west-1": "ami-3", "us-west-2": "ami-3"}, tries: 1},
		{name: "fails twice", west: region{failed: 2}, image: "ami-1", copies: map[string]string{"eu-west-1": "ami-3", "us-west-2": "ami-3"}, tries: 3},
		{
			name: "fails always", west: region{failed: 9}, image: "ami-1", copies: map[string]string{"eu-west-1": "ami-3"}, tries: 3, missing: true,
			err: "ami-1 is made, and lacks something that was asked for: capture ami-3: the image is failed: AWS gives no reason; another run takes it up from there",
		},
		{
			name: "refused", west: region{refused: denied}, image: "ami-1", copies: map[string]string{"eu-west-1": "ami-3"}, tries: 1, missing: true,
			err: "ami-1 is made, and lacks something that was asked for: capture ami-1: copy to us-west-2: api error KMSKeyNotAccessible: no such key; another run takes it up from there",
		},
		{name: "copies alone", skip: true, image: "ami-3", copies: map[string]string{"us-west-2": "ami-3"}, tries: 1, undone: []string{"ami-1", "snap-1"}},
		{
			name: "copies alone, one refused", skip: true, west: region{refused: denied}, image: "ami-3", tries: 1, undone: []string{"ami-1", "snap-1"}, missing: true,
			err: "ami-3 is made, and lacks something that was asked for: capture ami-1: copy to us-west-2: api error KMSKeyNotAccessible: no such key; " +
				"with skip_save_build_region another run starts anew, and needs another name: copy that image to what is missing, or take it away",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud, west, eu := newFake(), &tt.west, &region{fakeEC2: newFake()}
				west.fakeEC2 = newFake()
				b, cfg := newBuilder(t, cloud, &fakeMachine{}), trivial()
				b.InRegion = func(name string) EC2 { return map[string]EC2{"us-west-2": west, "eu-west-1": eu}[name] }
				cfg.Output.Regions, cfg.Output.SkipBuildRegion = []RegionCopy{{Region: "eu-west-1"}, {Region: "us-west-2"}}, tt.skip
				img, err := b.Build(t.Context(), cfg)
				if text := ""; err != nil {
					if text = err.Error(); text != tt.err {
						t.Errorf("error %s, want %s", text, tt.err)
					}
				} else if tt.err != "" {
					t.Errorf("no error, want %s", tt.err)
				}
				if incomplete := errors.As(err, new(*IncompleteError)); incomplete != tt.missing {
					t.Errorf("incomplete: %v, want %v", incomplete, tt.missing)
				}
				if img.ID != tt.image || !maps.Equal(img.Copies, tt.copies) {
					t.Errorf("image %s, copies %v; want %s, %v", img.ID, img.Copies, tt.image, tt.copies)
				}
				if distinct := len(slices.Compact(slices.Clone(west.tokens))); len(west.tokens) != tt.tries || distinct != tt.tries || len(eu.tokens) != 1 {
					t.Errorf("asked with the tokens %q and %q, want %d and 1 different ones", west.tokens, eu.tokens, tt.tries)
				}
				own := func(what string) bool { return slices.Contains([]string{"key pair", "i-1", "sg-1"}, what) }
				if diff := cmp.Diff(tt.undone, append([]string(nil), slices.DeleteFunc(slices.Clone(cloud.undone), own)...)); diff != "" {
					t.Errorf("taken back (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestProtectedIsNotReplaced: force_deregister says before anything is made which image is protected from it.
func TestProtectedIsNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		cloud.add("ami-old", "web 1", "available")
		old := cloud.images["ami-old"]
		old.DeregistrationProtection = aws.String("enabled-without-cooldown")
		cloud.images["ami-old"] = old
		cfg := trivial()
		cfg.Output.ReplaceExisting = true
		_, err := newBuilder(t, cloud, &fakeMachine{}).Build(t.Context(), cfg)
		want := "plan: ami-old in us-east-1 has the name, and is protected from being deregistered (enabled-without-cooldown); take that off first: " +
			"aws ec2 disable-image-deregistration-protection --region us-east-1 --image-id ami-old"
		if err == nil || err.Error() != want || len(cloud.calls) > 0 {
			t.Errorf("error %v, want %s; asked for %v", err, want, cloud.calls)
		}
	})
}
