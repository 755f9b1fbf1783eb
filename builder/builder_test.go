package builder

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

// TestTakenBack is the table of a build's ends: what each leaves, and what it takes back.
func TestTakenBack(t *testing.T) {
	exit7 := func(context.Context) error { return &provision.ExitError{Script: "nginx.sh", Code: 7} }
	tests := []struct {
		name   string
		change func(*fakeEC2, *Config, *Builder)
		run    func(context.Context) error
		want   []string // without the key pair, which goes at any time
		image  string
		err    string
	}{
		{name: "success", want: []string{"i-1", "sg-1"}, image: "ami-1"},
		{name: "script", run: exit7, want: []string{"i-1", "sg-1"}, err: "provision: nginx.sh exited with status 7"},
		{
			name: "image", change: func(f *fakeEC2, _ *Config, _ *Builder) { f.imageFails = true },
			want: []string{"ami-1", "i-1", "sg-1", "snap-1"}, err: "capture ami-1: the image is failed: AWS gives no reason",
		},
		{name: "panic", run: func(context.Context) error { panic("oops") }, want: []string{"i-1", "sg-1"}, err: "internal error, please report it: oops"},
		{
			name: "leak", change: func(f *fakeEC2, _ *Config, _ *Builder) { f.leak = true },
			want: []string{"sg-1"}, image: "ami-1", err: "left behind: instance i-1: not today",
		},
		{
			name: "abort", change: func(_ *fakeEC2, _ *Config, b *Builder) { b.OnError = Abort }, run: exit7,
			err: "provision: nginx.sh exited with status 7\nleft behind: key pair KEY, security group sg-1, instance i-1",
		},
		{
			name: "replaced", change: func(f *fakeEC2, c *Config, _ *Builder) {
				f.add("ami-old", "web 1", "available")
				c.Output.ReplaceExisting = true
			},
			want: []string{"ami-1", "ami-old", "i-1", "sg-1"}, image: "ami-2",
		},
		{name: "existing group", change: func(_ *fakeEC2, c *Config, _ *Builder) { c.Network.SecurityGroups = []string{"sg-9"} }, want: []string{"i-1"}, image: "ami-1"},
		{name: "no image wanted", change: func(_ *fakeEC2, c *Config, _ *Builder) { c.Output.SkipImage = true }, want: []string{"i-1", "sg-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newFake()
				b, cfg := newBuilder(t, cloud, &fakeMachine{run: tt.run}), trivial()
				if tt.change != nil {
					tt.change(cloud, &cfg, b)
				}
				img, err := b.Build(t.Context(), cfg)
				cloud.mu.Lock() // a look may still be under way
				undone := slices.DeleteFunc(slices.Clone(cloud.undone), func(s string) bool { return s == "key pair" })
				cloud.mu.Unlock()
				if i, sg := slices.Index(undone, "i-1"), slices.Index(undone, "sg-1"); sg >= 0 && sg < i {
					t.Errorf("took back %q: the group before the machine in it", undone)
				}
				slices.Sort(undone) // the rest goes at the same time
				slices.Sort(tt.want)
				if !slices.Equal(undone, tt.want) {
					t.Errorf("took back %q, want %q", undone, tt.want)
				}
				if img.ID != tt.image {
					t.Errorf("image %q, want %q", img.ID, tt.image)
				}
				checkText(t, cloud, err, tt.err)
			})
		})
	}
}

// checkText compares an error with its whole text, whose key pair has the name of this build.
func checkText(t *testing.T, cloud *fakeEC2, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got, _, _ = strings.Cut(err.Error(), "\ngoroutine ")
	}
	for _, c := range cloud.calls {
		if in, ok := c.(*ec2.ImportKeyPairInput); ok {
			got = strings.ReplaceAll(got, *in.KeyName, "KEY")
		}
	}
	got = strings.ReplaceAll(got, "security group sg-1, key pair KEY", "key pair KEY, security group sg-1") // made at the same time
	if got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

// TestCanceled: a canceled build says so, and leaves nothing, whatever OnError is.
func TestCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("canceled by signal")
		cloud := newFake()
		b := newBuilder(t, cloud, &fakeMachine{run: func(ctx context.Context) error { cancel(why); return context.Cause(ctx) }})
		b.OnError = Abort
		_, err := b.Build(ctx, trivial())
		if !errors.Is(err, why) {
			t.Errorf("error %v, want %v in it", err, why)
		}
		synctest.Wait() // a look may still be under way
		slices.Sort(cloud.undone)
		if want := []string{"i-1", "key pair", "sg-1"}; !slices.Equal(cloud.undone, want) {
			t.Errorf("took back %q, want %q", cloud.undone, want)
		}
	})
}

// TestAskedOnce: who is asked and says retry gets another try of the step
// alone, and is asked no second time about the same error.
func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, asked := 0, 0
		answers := []Decision{DecideRetry, DecideAbort}
		cloud := newFake()
		b := newBuilder(t, cloud, &fakeMachine{run: func(context.Context) error { runs++; return errors.New("no") }})
		b.OnError, b.Ask = Ask, func(context.Context, error) Decision { asked++; return answers[asked-1] }
		_, err := b.Build(t.Context(), trivial())
		if leak := new(LeakError); !errors.As(err, &leak) || len(leak.What()) != 3 {
			t.Errorf("error %v, want a leak of three", err)
		}
		if runs != 2 || asked != 2 || len(cloud.undone) != 0 {
			t.Errorf("%d runs, asked %d times, took back %q", runs, asked, cloud.undone)
		}
	})
}

// TestEvents: the story as observers see it.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		b := newBuilder(t, newFake(), &fakeMachine{})
		b.OnEvent = func(e Event) {
			switch e := e.(type) {
			case StageStarted:
				got = append(got, string(e.Stage))
			case Created:
				got = append(got, "+"+e.Kind)
			case StepStarted:
				got = append(got, e.Title)
			case Line:
				got = append(got, e.Script+": "+e.Text)
			case ImageReady:
				got = append(got, e.ID+" ready")
			}
		}
		if _, err := b.Build(t.Context(), trivial()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got[2:4]) // made at the same time
		want := []string{
			"plan", "launch", "+key pair", "+security group", "+instance", "connect",
			"provision", "run nginx.sh", "nginx.sh: one", "nginx.sh: two",
			"capture", "+image", "ami-1 ready", "clean up",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
