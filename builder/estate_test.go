package builder

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

// notes is a journal in memory.
type notes struct {
	mu   sync.Mutex
	said []string

	records []Record
	full    string // the act that there is no room for
	after   func(Record)
}

func (n *notes) Record(r Record) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if string(r.Act) == n.full {
		return errors.New("no space left on device")
	}
	n.records = append(n.records, r)
	name := strings.ReplaceAll(r.Name, r.Build, "BUILD")
	n.said = append(n.said, strings.TrimSpace(strings.Join([]string{string(r.Act), r.Kind, name, strings.ReplaceAll(r.ID, r.Build, "BUILD")}, " ")))
	if n.after != nil {
		n.after(r)
	}
	return nil
}

// TestJournal: everything is written down before AWS is asked for it, again
// when it has an id, and when it is gone.
func TestJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, j := newFake(), &notes{}
		j.after = func(r Record) {
			if r.Act != Making || r.Kind != KindInstance {
				return
			}
			cloud.mu.Lock()
			defer cloud.mu.Unlock()
			if calls := len(cloud.calls); calls != 3 { // key, group and its rule
				t.Errorf("%d calls before the instance is written down, want 3", calls)
			}
		}
		b := newBuilder(t, cloud, &fakeMachine{})
		b.Journal = j
		if _, err := b.Build(t.Context(), trivial()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(j.said[1:5])  // made at the same time
		slices.Sort(j.said[9:13]) // and taken back, while the image is published
		want := []string{
			"begun  web 1",
			"made key pair imago-BUILD imago-BUILD", "made security group imago-BUILD sg-1",
			"making key pair imago-BUILD", "making security group imago-BUILD",
			"making instance imago-BUILD", "made instance imago-BUILD i-1",
			"making image web 1", "made image web 1 ami-1",
			"gone instance imago-BUILD i-1", "gone key pair imago-BUILD imago-BUILD", "gone security group imago-BUILD sg-1",
			"kept image web 1 ami-1", "ended",
		}
		if diff := cmp.Diff(want, j.said); diff != "" {
			t.Error(diff)
		}
	})
}

// TestJournalEnds: the last line says how the build ended.
func TestJournalEnds(t *testing.T) {
	fails := func(context.Context) error { return errors.New("no") }
	for want, change := range map[Act]func(*fakeEC2, *Builder){
		Ended:  func(*fakeEC2, *Builder) {},
		Left:   func(_ *fakeEC2, b *Builder) { b.OnError = Abort },
		Leaked: func(f *fakeEC2, _ *Builder) { f.leak = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			cloud, j := newFake(), &notes{}
			b := newBuilder(t, cloud, &fakeMachine{run: fails})
			b.Journal = j
			change(cloud, b)
			b.Build(t.Context(), trivial())
			if got := j.said[len(j.said)-1]; got != string(want) {
				t.Errorf("the last line is %q, want %q", got, want)
			}
		})
	}
}

// TestJournalFull: nothing is made that cannot be written down, and what was
// made without its id being written down is taken back.
func TestJournalFull(t *testing.T) {
	for act, want := range map[Act][]string{Making: nil, Made: {"key pair", "sg-1"}} {
		synctest.Test(t, func(t *testing.T) {
			cloud := newFake()
			b := newBuilder(t, cloud, &fakeMachine{})
			b.Journal = &notes{full: string(act)}
			_, err := b.Build(t.Context(), trivial())
			if err == nil || !strings.Contains(err.Error(), "write the journal: no space left on device") {
				t.Errorf("%s: error %v", act, err)
			}
			synctest.Wait() // a look may still be under way
			slices.Sort(cloud.undone)
			if !slices.Equal(cloud.undone, want) || act == Making && len(cloud.calls) > 0 {
				t.Errorf("%s: took back %q after %d calls, want %q", act, cloud.undone, len(cloud.calls), want)
			}
		})
	}
}

// launching is a fake whose RunInstances is another.
type launching struct {
	*fakeEC2
	run func(context.Context, func(context.Context) (*ec2.RunInstancesOutput, error)) (*ec2.RunInstancesOutput, error)
}

func (l *launching) RunInstances(ctx context.Context, in *ec2.RunInstancesInput, _ ...options) (*ec2.RunInstancesOutput, error) {
	return l.run(ctx, func(ctx context.Context) (*ec2.RunInstancesOutput, error) { return l.fakeEC2.RunInstances(ctx, in) })
}

// TestCanceledWhileMaking: who cancels while AWS makes something waits for its id, so that it can be taken back.
func TestCanceledWhileMaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cloud := newFake()
		b := newBuilder(t, cloud, &fakeMachine{})
		b.EC2 = &launching{cloud, func(ctx context.Context, run func(context.Context) (*ec2.RunInstancesOutput, error)) (*ec2.RunInstancesOutput, error) {
			cancel()
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Second):
				return run(ctx)
			}
		}}
		_, err := b.Build(ctx, trivial())
		synctest.Wait() // a look may still be under way
		slices.Sort(cloud.undone)
		if want := []string{"i-1", "key pair", "sg-1"}; !errors.Is(err, context.Canceled) || !slices.Equal(cloud.undone, want) {
			t.Errorf("error %v, took back %q, want %q", err, cloud.undone, want)
		}
	})
}

// TestExpiry: a living build keeps moving the time at which others may take its
// things away, and a finished image has none.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		long := func(context.Context) error { time.Sleep(2*renewEvery + renewEvery/2); return nil }
		b := newBuilder(t, cloud, &fakeMachine{run: long})
		cfg := trivial()
		start := time.Now()
		if _, err := b.Build(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		var want []string
		for n := range 2 {
			when := start.Add(time.Duration(n+1)*renewEvery + Lifetime).UTC().Format(time.RFC3339)
			for _, id := range []string{"key-1", "i-1", "sg-1"} {
				want = append(want, id+": imago:expires="+when)
			}
		}
		want = append(want, "ami-1 snap-1: imago:expires=never")
		slices.Sort(want)
		synctest.Wait() // a look may still be under way
		slices.Sort(cloud.tagged)
		if diff := cmp.Diff(want, cloud.tagged); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOwnTags: what the template says cannot take away how a build's things are known.
func TestOwnTags(t *testing.T) {
	cfg := trivial()
	mine := map[string]string{TagBuild: "mine", TagExpires: "never", "Team": "web"}
	cfg.Instance.Tags, cfg.Instance.VolumeTags, cfg.Output.Tags, cfg.Output.SnapshotTags = mine, mine, mine, mine
	p := Plan{Config: cfg, ID: "0123456789ab", Expires: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	if err := p.planTags(); err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]map[string]string{"run": p.RunTags, "volume": volumeTags(p), "image": p.ImageTags, "snapshot": p.SnapshotTags} {
		want := map[string]string{TagBuild: "0123456789ab", TagExpires: "2026-11-24T12:00:00Z", "Team": "web"}
		if what == "run" || what == "volume" {
			want["Name"] = "imago web"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// TestDraft: an image that is not under its name yet says which it is to have.
func TestDraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		cloud.add("ami-old", "web 1", "available")
		cfg := trivial()
		cfg.Output.ReplaceExisting = true
		cfg.Steps = []Step{Run{Scripts: []provision.Script{{Name: "x"}}}}
		if _, err := newBuilder(t, cloud, &fakeMachine{}).Build(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range cloud.calls {
			switch in := c.(type) {
			case *ec2.CreateImageInput:
				for _, tag := range in.TagSpecifications[0].Tags {
					got["draft "+*tag.Key] = *tag.Value
				}
			case *ec2.RegisterImageInput:
				for _, tag := range in.TagSpecifications[0].Tags {
					got["image "+*tag.Key] = *tag.Value
				}
			}
		}
		if got["draft "+TagDraft] != "web 1" || got["image "+TagBuild] == "" || got["image "+TagDraft] != "" {
			t.Errorf("tags %q", got)
		}
	})
}
