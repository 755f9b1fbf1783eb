package builder

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

// TestReused is the table of what may be handed out instead of a bake.
func TestReused(t *testing.T) {
	for name, tt := range map[string]struct {
		image  func(*types.Image) // changes the one that is there
		config func(*Config)
		baked  bool
	}{
		"the same":            {},
		"another name":        {config: func(c *Config) { c.Output.Name = "web 2" }},
		"other tags":          {config: func(c *Config) { c.Output.Tags = map[string]string{"A": "b"} }},
		"deprecated later":    {image: func(i *types.Image) { i.DeprecationTime = aws.String("2100-01-01T00:00:00.000Z") }},
		"deprecated":          {image: func(i *types.Image) { i.DeprecationTime = aws.String("2000-01-01T00:00:00.000Z") }, baked: true},
		"disabled":            {image: func(i *types.Image) { i.State = types.ImageStateDisabled }, baked: true},
		"of a running build":  {image: func(i *types.Image) { setTag(i, TagExpires, "2100-01-01T00:00:00Z") }, baked: true},
		"a draft":             {image: func(i *types.Image) { setTag(i, TagDraft, "web 1") }, baked: true},
		"another fingerprint": {image: func(i *types.Image) { setTag(i, TagFingerprint, strings.Repeat("0", 64)) }, baked: true},
		"another script": {config: func(c *Config) {
			c.Steps = []Step{Run{Scripts: []provision.Script{{Name: "nginx.sh", Body: []byte("false")}}}}
		}, baked: true},
		"forced":     {config: func(c *Config) { c.Output.ReplaceExisting = true }, baked: true},
		"not wanted": {config: func(c *Config) { c.Name = "no reuse" }, baked: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newFake()
				first, err := newBuilder(t, cloud, &fakeMachine{}).Build(t.Context(), trivial())
				if err != nil || first.Reused || first.Fingerprint == "" {
					t.Fatalf("%+v, %v", first, err)
				}
				synctest.Wait() // a look may still be under way
				there := cloud.images["ami-1"]
				delete(cloud.images, "ami-1")
				there.ImageId = aws.String("ami-there")
				cfg := trivial()
				cfg.Output.Name = "web 9" // so that the name is free when it is baked
				if tt.image != nil {
					tt.image(&there)
				}
				if tt.config != nil {
					tt.config(&cfg)
				}
				cloud.images["ami-there"], cloud.calls = there, nil
				b := newBuilder(t, cloud, &fakeMachine{})
				b.Reuse = cfg.Name != "no reuse"
				img, err := b.Build(t.Context(), cfg)
				if err != nil || img.Reused == tt.baked {
					t.Fatalf("%+v, %v; want a bake: %v", img, err, tt.baked)
				}
				if tt.baked {
					return
				}
				if img.ID != "ami-there" || img.Name != "web 1" || img.Fingerprint != first.Fingerprint || len(cloud.calls) > 0 {
					t.Errorf("%+v after %d calls", img, len(cloud.calls))
				}
			})
		})
	}
}

// setTag sets a tag of an image.
func setTag(img *types.Image, key, value string) {
	img.Tags = append(slices.DeleteFunc(slices.Clone(img.Tags), func(t types.Tag) bool { return *t.Key == key }),
		types.Tag{Key: aws.String(key), Value: aws.String(value)})
}

// TestReusedName: an image under a name that does not change is reused, not in
// the way; and when it cannot be, it is in the way as ever.
func TestReusedName(t *testing.T) {
	cloud := newFake()
	b := newBuilder(t, cloud, &fakeMachine{})
	if _, err := b.Build(t.Context(), trivial()); err != nil {
		t.Fatal(err)
	}
	b.Reuse = true
	if img, err := b.Build(t.Context(), trivial()); err != nil || !img.Reused {
		t.Errorf("%+v, %v", img, err)
	}
	b.Reuse = false
	want := `plan: the image name "web 1" is taken by ami-1 in us-east-1: choose another name, put {{timestamp}} in it, or replace the image with -force`
	if _, err := b.Build(t.Context(), trivial()); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestChangedMeanwhile: an image of files that have changed under way says nothing of what it is made of.
func TestChangedMeanwhile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	cfg := trivial()
	cfg.Steps = append(cfg.Steps, Upload{Trees: []provision.Tree{{Source: file, Dest: "/srv/file"}}})
	for _, change := range []bool{false, true} {
		if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
			t.Fatal(err)
		}
		cloud := newFake()
		m := &fakeMachine{}
		m.upload = func() error {
			if !change {
				return nil
			}
			return os.WriteFile(file, []byte("2"), 0o644)
		}
		img, err := newBuilder(t, cloud, m).Build(t.Context(), cfg)
		tagged := tagOf(cloud.images["ami-1"].Tags, TagFingerprint)
		if err != nil || change != (img.Fingerprint == "") || tagged != img.Fingerprint {
			t.Errorf("changed: %v; fingerprint %q and tag %q, %v", change, img.Fingerprint, tagged, err)
		}
	}
}

// TestSince: what has changed is said by name on the computer that made the
// last image, and by step on another one.
func TestSince(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	project := func(text, mode string, more ...Step) Config {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cfg := trivial()
		cfg.Output.Name = fmt.Sprintf("web %d 01234567-89ab-cdef-0123-456789abcdef", time.Now().UnixNano())
		cfg.Steps = []Step{
			Upload{Trees: []provision.Tree{{Source: file, Dest: "/srv/file"}}},
			Run{Scripts: []provision.Script{{Name: "nginx.sh", Body: []byte("true"), Env: []string{"MODE=" + mode}}}},
		}
		cfg.Steps = append(cfg.Steps, more...)
		return cfg
	}
	upload, run := "step 1: upload "+file+" to /srv/file: ", "step 2: run nginx.sh: "
	for name, tt := range map[string]struct {
		change func() Config
		exact  []string
		rough  []string
	}{
		"nothing":    {func() Config { return project("1", "a") }, nil, nil},
		"a file":     {func() Config { return project("2", "a") }, []string{upload + "contents of file"}, []string{upload + "changed"}},
		"a variable": {func() Config { return project("1", "b") }, []string{run + "variable MODE: changed"}, []string{run + "changed"}},
		"a step more": {
			func() Config { return project("1", "a", Pause{For: time.Second}) },
			[]string{"step 3: wait 1s: new"}, []string{"step 3: wait 1s: new"},
		},
		"a step less": {
			func() Config { c := project("1", "a"); c.Steps = c.Steps[1:]; return c },
			[]string{"was step 1: upload " + file + " to /srv/file: gone"}, []string{"a step is gone"},
		},
		"an option": {
			func() Config { c := project("1", "a"); c.Instance.Type = "t3.nano"; return c },
			[]string{"options: option instance_type: changed"}, []string{"options: changed"},
		},
		"the source image": {
			func() Config { c := project("1", "a"); c.Source.ID = "ami-00"; return c },
			[]string{"source image: it was ami-0, and is ami-00"}, []string{"source image: it was ami-0, and is ami-00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := newFake()
			other := cloud.images["ami-0"]
			other.ImageId = aws.String("ami-00")
			cloud.images["ami-00"] = other
			b := newBuilder(t, cloud, &fakeMachine{upload: func() error { return nil }})
			b.Cache = t.TempDir()
			if _, err := b.Build(t.Context(), project("1", "a")); err != nil {
				t.Fatal(err)
			}
			for _, want := range []Since{{Changes: tt.exact}, {Changes: tt.rough, Rough: true}} {
				if want.Rough {
					b.Cache = t.TempDir()
				}
				p, err := b.Plan(t.Context(), tt.change())
				if err != nil {
					t.Fatal(err)
				}
				got, err := b.Since(t.Context(), p)
				if err != nil || got == nil {
					t.Fatalf("%+v, %v", got, err)
				}
				got.Name, want.ID = "", "ami-1"
				if diff := cmp.Diff(&want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

// TestInputTags: the tags are of a length that AWS takes, and leave room for the user's.
func TestInputTags(t *testing.T) {
	cfg := trivial()
	for range 100 {
		cfg.Steps = append(cfg.Steps, Pause{For: time.Second})
	}
	cfg.Output.Tags = map[string]string{}
	for n := range 49 {
		p, err := newBuilder(t, newFake(), &fakeMachine{}).Plan(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.ImageTags) >= maxTags-1 && n < 47 || len(p.ImageTags[TagInputs]) > 256 {
			t.Errorf("%d tags, and %d characters", len(p.ImageTags), len(p.ImageTags[TagInputs]))
		}
		if (p.ImageTags[TagFingerprint] != "") != (n < 46) {
			t.Errorf("with %d tags of the user's the fingerprint is %q", n, p.ImageTags[TagFingerprint])
		}
		cfg.Output.Tags[fmt.Sprint(n)] = "x"
	}
}

// TestReusedAnyhow: what only a bake needs is not waited for, and does not
// matter, when there is nothing to bake.
func TestReusedAnyhow(t *testing.T) {
	cloud := newFake()
	b := newBuilder(t, cloud, &fakeMachine{})
	if _, err := b.Build(t.Context(), trivial()); err != nil {
		t.Fatal(err)
	}
	b.Reuse = true
	b.PublicAddress = func(ctx context.Context) (netip.Addr, error) {
		<-ctx.Done()
		return netip.Addr{}, ctx.Err()
	}
	if img, err := b.Build(t.Context(), trivial()); err != nil || !img.Reused {
		t.Errorf("%+v, %v", img, err)
	}
}

// TestReusedNames: who looks by name is warned of.
func TestReusedNames(t *testing.T) {
	for name, tt := range map[string]struct {
		wanted string
		want   []string
	}{
		"the newest":   {"web 7", []string{}},
		"not any more": {"site 7", []string{`ami-1 keeps its name, "web 1": nobody finds it under a name like "site 7"`, "ami-9 (site 9) is newer than ami-1: who takes the newest image of that name gets that one"}},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := newFake()
			b := newBuilder(t, cloud, &fakeMachine{})
			if _, err := b.Build(t.Context(), trivial()); err != nil {
				t.Fatal(err)
			}
			cloud.add("ami-9", "site 9", types.ImageStateAvailable)
			cloud.add("ami-8", "website 9", types.ImageStateAvailable)
			b.Reuse = true
			got := []string{}
			b.OnEvent = func(e Event) {
				if n, ok := e.(Note); ok && n.Warning {
					got = append(got, n.Text)
				}
			}
			cfg := trivial()
			cfg.Output.Name = tt.wanted
			if _, err := b.Build(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCopyMissing: a copy that is missing is made without a bake; when that
// does not succeed, the image itself stays.
func TestCopyMissing(t *testing.T) {
	for _, fails := range []bool{false, true} {
		cloud, west := newFake(), &westEC2{fakeEC2: newFake(), fails: fails}
		b := newBuilder(t, cloud, &fakeMachine{})
		b.InRegion = func(string) EC2 { return west }
		if _, err := b.Build(t.Context(), trivial()); err != nil {
			t.Fatal(err)
		}
		cloud.mu.Lock() // a look may still be under way
		cloud.undone, b.Reuse = nil, true
		cloud.mu.Unlock()
		cfg := trivial()
		cfg.Output.Name, cfg.Output.Regions = "web 2", []RegionCopy{{Region: "us-west-2"}}
		img, err := b.Build(t.Context(), cfg)
		if fails != (err != nil) || len(cloud.undone) > 0 {
			t.Errorf("fails: %v; %+v, %v, took back %q", fails, img, err, cloud.undone)
		}
		if want := map[string]string{"us-west-2": "ami-w"}; !fails && (img.ID != "ami-1" || !img.Reused || !maps.Equal(img.Copies, want) || *west.images["ami-w"].Name != "web 1") {
			t.Errorf("%+v, a copy named %q", img, *west.images["ami-w"].Name)
		}
	}
}

// westEC2 is another region, to which images are copied.
type westEC2 struct {
	*fakeEC2
	fails bool
}

func (w *westEC2) CopyImage(_ context.Context, in *ec2.CopyImageInput, _ ...options) (*ec2.CopyImageOutput, error) {
	state := types.ImageStateAvailable
	if w.fails {
		state = types.ImageStateFailed
	}
	w.add("ami-w", *in.Name, state)
	return &ec2.CopyImageOutput{ImageId: aws.String("ami-w")}, nil
}

// TestBelongs: whose an image is does not decide it; an image that is there comes to where it is wanted, and stays where it was.
func TestBelongs(t *testing.T) {
	cloud := newFake()
	b := newBuilder(t, cloud, &fakeMachine{})
	b.Reuse = true
	build := func(tags map[string]string) map[string]string {
		t.Helper()
		cfg := trivial()
		cfg.Output.Tags = tags
		img, err := b.Build(t.Context(), cfg)
		if err != nil || img.ID != "ami-1" {
			t.Fatalf("%+v, %v", img, err)
		}
		got := map[string]string{}
		for key, value := range toMap(cloud.images["ami-1"].Tags) {
			if key == TagApplication || key == TagImage || key == TagEnvironment {
				got[key] = value
			}
		}
		return got
	}
	belongs := func(image, environment string) map[string]string {
		return map[string]string{TagApplication: "shop", TagImage: image, TagEnvironment: environment}
	}
	for _, tt := range []struct{ tags, want map[string]string }{
		{nil, map[string]string{}},
		{belongs("web", "staging"), belongs("web", "staging")},
		{belongs("web", "production"), belongs("web", "production staging")},
		{belongs("site", "staging"), belongs("site", "production staging")},
		{nil, belongs("site", "production staging")},
		{map[string]string{TagApplication: "other", TagImage: "base", TagEnvironment: "test"}, belongs("site", "production staging")},
	} {
		if diff := cmp.Diff(tt.want, build(tt.tags)); diff != "" {
			t.Errorf("%v: %s", tt.tags, diff)
		}
	}
	if got := Environments("production staging"); !slices.Equal(got, []string{"production", "staging"}) {
		t.Error(got)
	}
}
