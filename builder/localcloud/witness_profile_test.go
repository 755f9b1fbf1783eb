package localcloud_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
	"github.com/imagobuild/imago/builder/iam"
	"github.com/imagobuild/imago/builder/localcloud"
)

const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}]}`

// profiles are those of builds in the region of a baker.
func (b *baker) profiles() (names []string) {
	b.t.Helper()
	all, err := iam.New(b.sdk, *b.sdk.BaseEndpoint).Profiles(b.t.Context(), builder.ProfilePath("us-east-1"))
	if err != nil {
		b.t.Error(err)
	}
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

// TestTemporaryProfile: a build makes the profile that its policy asks for, launches its machine with it, and takes it
// away again; also when answers are lost, when a script fails, and when it is killed while it makes it.
func TestTemporaryProfile(t *testing.T) {
	for name, tt := range map[string]struct {
		rules []localcloud.FaultRule
		err   string
	}{
		"bake":         {},
		"lost answers": {rules: []localcloud.FaultRule{{Action: "CreateRole", Reset: "after", Times: 1}, {Action: "AddRole*", Reset: "after", Times: 1}, {Action: "DeleteRole", Reset: "after", Times: 1}, {Action: "CreateInstanceProfile", Reset: "after", Times: 1}}},
		"throttled":    {rules: []localcloud.FaultRule{{Action: "PutRolePolicy", Error: "RequestLimitExceeded", Times: 2}}},
		"refused":      {rules: []localcloud.FaultRule{{Action: "PutRolePolicy", Error: "AccessDenied", Message: "not allowed"}}, err: "not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBaker(t, tt.rules...)
			b.cfg.Instance.ProfilePolicy = policy
			var during, launched []string
			b.run = func() {
				during = b.profiles()
				for _, i := range b.instances() {
					launched = append(launched, aws.ToString(i.IamInstanceProfile.Arn))
				}
			}
			_, err := b.bake(t.Context())
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
			if tt.err == "" {
				if len(during) != 1 || !strings.HasPrefix(during[0], "imago-") {
					t.Errorf("profiles during the build: %q", during)
				} else if diff := cmp.Diff([]string{"arn:aws:iam::000000000000:instance-profile/imago/us-east-1/" + during[0]}, launched); diff != "" {
					t.Errorf("the machine's profile (-want +got):\n%s", diff)
				}
			}
			b.faults("")
			if after := b.profiles(); len(after) > 0 {
				t.Errorf("profiles after the build: %q", after)
			}
		})
	}
}

// TestProfileIsCollected: gc finds a role without its profile, and takes nothing that is not a build's.
func TestProfileIsCollected(t *testing.T) {
	b := newBaker(t)
	c := iam.New(b.sdk, *b.sdk.BaseEndpoint)
	for _, p := range []builder.Profile{
		{Name: "imago-0123456789ab", Path: builder.ProfilePath("us-east-1"), Policy: policy, Tags: map[string]string{"a": "b"}},
		{Name: "imago-0123456789ac", Path: builder.ProfilePath("us-east-1"), Policy: policy},
		{Name: "imago-0123456789ad", Path: "/", Policy: policy},
	} {
		if err := c.CreateProfile(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	collector := gc.Collector{
		InRegion: func(string) gc.EC2 { return ec2.NewFromConfig(b.sdk) }, Regions: []string{"us-east-1"}, Profiles: c,
		Builds: []gc.Build{
			{ID: "0123456789ab", State: gc.Gone, Things: []gc.Thing{{Kind: gc.Profile, Region: "us-east-1", Since: time.Now().Add(-time.Hour)}}},
			{ID: "0123456789ac", State: gc.Living},
		},
	}
	settled, err := collector.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0123456789ab"}, settled); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"imago-0123456789ac"}, b.profiles()); diff != "" {
		t.Errorf("profiles that stay (-want +got):\n%s", diff)
	}
}
