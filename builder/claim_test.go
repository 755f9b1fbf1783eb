package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestClaim: of many builds that begin at once, one bakes, and the others have
// its image; who waits looks seldom, and says whom for.
func TestClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const builds, script = 20, 10 * time.Minute
		a := newAccount()
		var all []<-chan built
		var tenants []*tenant
		for i := range builds {
			b, x := a.builder(t, script)
			x.dying = time.Minute
			all, tenants = append(all, start(t, b, fmt.Sprint("web ", i))), append(tenants, x)
		}
		baked, last := built{}, time.Time{}
		for i, ended := range all {
			r := <-ended
			if !r.Reused {
				baked = r
				continue
			}
			a.reused(t, r)
			if r.at.After(last) {
				last = r.at
			}
			var told Waiting // last
			for _, e := range tenants[i].events {
				if w, ok := e.(Waiting); ok {
					told = w
				}
			}
			want := Waiting{Build: told.Build, Holder: "ann@laptop", Instance: "i-1", Since: told.Since}
			if diff := cmp.Diff(want, told); diff != "" || len(told.Build) != 12 || told.Since.IsZero() {
				t.Errorf("build %d was told (-want +got)\n%s", i, diff)
			}
		}
		a.sole(t, baked)
		if most := builds * (int(script/(3*time.Second)) + 10); a.machines != 1 || a.looks > most {
			t.Errorf("%d machines, %d looks at the claim; want 1 machine and %d looks at most", a.machines, a.looks, most)
		}
		if !last.Before(baked.at) {
			t.Errorf("the last has its image at %v, and waited for the machine of the first to go, at %v", last, baked.at)
		}
	})
}

// TestClaimLooks: builds of one process look together.
func TestClaimLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const builds, script = 20, 10 * time.Minute
		a := newAccount()
		b, _ := a.builder(t, script)
		var all []<-chan built
		for i := range builds {
			all = append(all, start(t, b, fmt.Sprint("web ", i)))
		}
		for _, ended := range all {
			a.sole(t, <-ended)
		}
		if most := int(script/(3*time.Second)) + builds + 10; a.looks > most {
			t.Errorf("%d looks at the claim, want %d at most", a.looks, most)
		}
	})
}

// TestTakenOver: a claim that is not renewed for 40 s is taken over, within a minute.
// The build that had it sees that when it comes back, wherever it was, and makes no second image.
func TestTakenOver(t *testing.T) {
	for name, slept := range map[string]time.Duration{
		"comes back while the other bakes": 2 * time.Minute, "comes back late": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount()
				b1, x1 := a.builder(t, 5*time.Minute)
				first := start(t, b1, "web 1")
				time.Sleep(30 * time.Second)
				b2, _ := a.builder(t, 5*time.Minute)
				second := start(t, b2, "web 2")
				time.Sleep(10 * time.Second)
				asleep, wake := time.Now(), x1.sleep()
				time.Sleep(time.Minute)
				if n := a.launched(); n != 2 {
					t.Errorf("%d machines after a minute of sleep, want those of both", n)
				}
				time.Sleep(slept - time.Since(asleep))
				wake()
				if time.Sleep(15 * time.Second); !x1.ended() {
					t.Error("the first goes on, though it is overtaken")
				}
				two := <-second
				one := <-first
				a.sole(t, one, two)
				if !one.Reused || two.Reused || a.machines != 2 || len(x1.warnings()) != 1 || !strings.Contains(x1.warnings()[0], "has taken over") {
					t.Errorf("reused: %v and %v; %d machines; %q", one.Reused, two.Reused, a.machines, x1.warnings())
				}
				slices.Sort(x1.undone)
				if want := []string{"i-1", "sg-1"}; !slices.Equal(x1.undone, want) {
					t.Errorf("the first took back %q, want %q", x1.undone, want)
				}
			})
		})
	}
}

// TestCutOff: while AWS can be reached by neither, who waits learns nothing of
// the other, and does not take over when it comes back.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		b1, x1 := a.builder(t, 5*time.Minute)
		first := start(t, b1, "web 1")
		time.Sleep(10 * time.Second)
		b2, x2 := a.builder(t, 5*time.Minute)
		second := start(t, b2, "web 2")
		time.Sleep(15 * time.Second) // it has seen the last sign of life
		wake1, wake2 := x1.sleep(), x2.sleep()
		time.Sleep(2 * time.Minute)
		wake2()
		time.Sleep(time.Second)
		wake1()
		a.sole(t, <-first, <-second)
		if a.machines != 1 || len(x1.warnings()) > 0 {
			t.Errorf("%d machines; warned of %q", a.machines, x1.warnings())
		}
	})
}

// TestNextBakes: when a build does not succeed, the next one bakes at once, and
// does not wait for the other's machine to go.
func TestNextBakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		b1, x1 := a.builder(t, 0)
		x1.machine.run = func(context.Context) error { time.Sleep(time.Minute); return errScript }
		x1.dying = time.Minute
		first := start(t, b1, "web 1")
		time.Sleep(time.Second)
		var others []<-chan built
		for i := range 3 {
			b, _ := a.builder(t, time.Minute)
			others = append(others, start(t, b, fmt.Sprint("web 2", i)))
		}
		one := <-first
		if !errors.Is(one.err, errScript) {
			t.Errorf("the first: %v", one.err)
		}
		for _, ended := range others {
			r := <-ended
			a.sole(t, r)
			if waited := r.at.Sub(one.at); waited > 30*time.Second {
				t.Errorf("an image %v after the first has cleaned up", waited)
			}
		}
		if a.machines != 2 {
			t.Errorf("%d machines, want 2", a.machines)
		}
	})
}

// TestCanceledWhileWaiting: who waits and is canceled ends at once, and leaves nothing.
func TestCanceledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		b1, _ := a.builder(t, time.Minute)
		first := start(t, b1, "web 1")
		time.Sleep(time.Second)
		b2, x2 := a.builder(t, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, err := b2.Build(ctx, trivial())
		j := b2.Journal.(*notes)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 20*time.Second || len(x2.fakeEC2.calls) > 0 || j.said[len(j.said)-1] != "ended" {
			t.Errorf("after %v: %v; made %d things; the journal says %q", time.Since(start), err, len(x2.fakeEC2.calls), j.said)
		}
		a.sole(t, <-first)
	})
}

// TestCanceledAnywhere: a build that is canceled at whichever of its calls gives
// the claim back, with all else.
func TestCanceledAnywhere(t *testing.T) {
	for call, last := 0, 0; call <= last; call++ { // at none first, which shows how many there are
		synctest.Test(t, func(t *testing.T) {
			a := newAccount()
			b, x := a.builder(t, 25*time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			x.at = func(n int) {
				if n == call {
					cancel()
				}
			}
			img, err := b.Build(ctx, trivial())
			if call == 0 {
				last = x.calls
			}
			whole := err == nil && slices.Equal(a.images(), []string{img.ID})
			if j := b.Journal.(*notes); !whole && (!errors.Is(err, context.Canceled) || len(a.images()) > 0) || len(a.pairs) > 0 || len(j.said) > 0 && !slices.Contains(j.said, "ended") {
				t.Errorf("canceled at call %d of %d: %v; there are %q and %v; the journal says %q", call, last, err, a.images(), a.pairs, j.said)
			}
		})
	}
}

// TestUnclaimed: where AWS does not let a build claim the image, wait for others,
// or renew its claim, it bakes all the same, and says what may come of that.
func TestUnclaimed(t *testing.T) {
	for denied, rival := range map[string]bool{"ImportKeyPair": false, "CreateTags": false, "DescribeKeyPairs": true} {
		t.Run(denied, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount()
				if rival {
					b, _ := a.builder(t, time.Hour)
					other := start(t, b, "web other")
					time.Sleep(time.Second)
					defer func() { <-other }()
				}
				b, x := a.builder(t, 10*time.Minute)
				b.OnError = Abort // so that nothing else is asked
				x.denied = denied
				cfg := trivial()
				cfg.SSH.Password = "x" // and no key pair is made but the claim
				img, err := b.Build(t.Context(), cfg)
				warned := strings.Join(x.warnings(), "\n")
				if img.ID == "" || !strings.Contains(warned, "there will be two: AWS does not let this one claim it: ") || !strings.Contains(warned, "no "+denied) {
					t.Errorf("%+v, %v; warned of %s", img, err, warned)
				}
			})
		})
	}
}

// TestLag: AWS lists key pairs and tags late. Nobody bakes twice for that.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		a.lag, a.late = 25*time.Second, 40*time.Second
		var all []<-chan built
		for i := range 5 {
			b, _ := a.builder(t, 2*time.Minute)
			all = append(all, start(t, b, fmt.Sprint("web ", i)))
			time.Sleep(5 * time.Second)
		}
		for _, ended := range all {
			a.sole(t, <-ended)
		}
		if a.machines != 1 {
			t.Errorf("%d machines, want 1", a.machines)
		}
	})
}
