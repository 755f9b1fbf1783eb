package builder

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// TestAdopted: the image that a build was making when it was no longer heard of is
// gone on with, and not made again, unless it comes to nothing. The names are the
// same, and do not stand in the way. When the first comes back, that is its image too.
func TestAdopted(t *testing.T) {
	for becomes, machines := range map[types.ImageState]int{"available": 1, "failed": 2} {
		t.Run(string(becomes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount()
				a.pending = true
				a.config = func(c *Config) { c.Output.IMDS = "v2.0" } // which is set in the end
				b1, x1 := a.builder(t, time.Minute)
				first := start(t, b1, "web 1")
				time.Sleep(70 * time.Second) // it waits for its image
				b2, x2 := a.builder(t, time.Minute)
				second := start(t, b2, "web 1")
				time.Sleep(10 * time.Second)
				wake := x1.sleep()
				time.Sleep(2 * time.Minute)
				made := a.images()
				a.settle(becomes)
				two := <-second
				if adopted := slices.Equal(made, a.images()); adopted != (machines == 1) || two.Reused != adopted || a.launched() != machines {
					t.Errorf("the first made %q, and the second has %s, reused: %v; %d machines", made, two.ID, two.Reused, a.launched())
				}
				if j := b2.Journal.(*notes); !slices.Contains(j.said, "ended") || len(x2.warnings()) > 0 {
					t.Errorf("the journal says %q; warned of %q", j.said, x2.warnings())
				}
				wake()
				if one := <-first; becomes == "available" {
					a.sole(t, one)
				}
				a.sole(t, two)
				if want := []string{two.ID + " imdsSupport"}; !slices.Equal(a.set, want) {
					t.Errorf("set %q, want %q", a.set, want)
				}
				slices.Sort(x1.undone)
				if want := []string{"i-1", "sg-1"}; !slices.Equal(x1.undone, want) {
					t.Errorf("the first took back %q, want %q", x1.undone, want)
				}
			})
		})
	}
}

// left is a build that has left its image while AWS was making it, and what its journal says.
func left(t *testing.T, a *account) (b *Builder, x *tenant, cfg Config, said []Record) {
	t.Helper()
	a.pending = true
	b, x = a.builder(t, time.Minute)
	cfg = trivial()
	cfg.Waits.Available = time.Minute
	if _, err := b.Build(t.Context(), cfg); !errors.As(err, new(*PendingError)) {
		t.Fatal(err)
	}
	if len(a.pairs) != 1 { // that of the machine
		t.Fatalf("key pairs: %v", a.pairs)
	}
	return b, x, cfg, b.Journal.(*notes).records
}

// TestAdoptedPending: the image of a build whose wait was over is gone on with at
// once; who would resume that build is told that it is another's.
func TestAdoptedPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		b1, _, cfg, said := left(t, a)
		b2, _ := a.builder(t, time.Minute)
		second := start(t, b2, "web 2")
		time.Sleep(time.Minute)
		a.settle("available")
		two := <-second
		if two.err != nil || !two.Reused || a.launched() != 1 {
			t.Errorf("%+v; %d machines", two, a.launched())
		}
		_, err := b1.Resume(t.Context(), cfg, said)
		if why := new(NoResumeError); !errors.As(err, &why) || why.Why != "another build has made "+two.ID+" meanwhile" {
			t.Errorf("error %v", err)
		}
		if ids := a.images(); len(ids) != 1 || ids[0] != two.ID {
			t.Errorf("there are %q", ids)
		}
	})
}

// TestAdoptedLate: an image that does not come to be in the time of who went on with it either stays for the next.
func TestAdoptedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount()
		_, _, cfg, _ := left(t, a)
		made := a.images()
		b2, _ := a.builder(t, time.Minute)
		_, err := b2.Build(t.Context(), cfg)
		want := "capture " + made[0] + ": not available after 1m0s; it stays, and another run goes on with it"
		if j := b2.Journal.(*notes); err == nil || err.Error() != want || j.said[len(j.said)-1] != "ended" {
			t.Errorf("error %v, want %s; the journal says %q", err, want, j.said)
		}
		b3, _ := a.builder(t, time.Minute)
		third := start(t, b3, "web 3")
		time.Sleep(time.Minute)
		a.settle("available")
		if three := <-third; three.err != nil || three.ID != made[0] || a.launched() != 1 {
			t.Errorf("%+v; %d machines", three, a.launched())
		}
	})
}

// TestResumeClaims: a build that is gone on with takes its claim again. When
// another has taken over, it takes away what is its own.
func TestResumeClaims(t *testing.T) {
	for whose, want := range map[string]string{
		"nobody's": "", "its own": "",
		"another's": "build ID cannot be gone on with: another build has begun to bake it meanwhile; what it had made is taken away",
	} {
		t.Run(whose, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount()
				b, x, cfg, said := left(t, a)
				a.settle("available")
				id := said[0].Build
				fingerprint := tagOf(a.fakeEC2.images[a.images()[0]].Tags, TagFingerprint)
				pair := types.KeyPairInfo{KeyName: aws.String(claimName(fingerprint)), KeyPairId: aws.String("key-99"), Tags: toTags(map[string]string{TagBuild: id})}
				switch whose {
				case "another's":
					pair.Tags = toTags(map[string]string{TagBuild: "0123456789ab"})
					fallthrough
				case "its own":
					a.pairs[*pair.KeyName] = pair
					said = append(said, Record{Build: id, Act: Making, Kind: KindKeyPair, Region: cfg.Region, Name: *pair.KeyName, Time: time.Now()})
				}
				img, err := b.Resume(t.Context(), cfg, said)
				if want == "" {
					a.sole(t, built{img, err, time.Now()})
					return
				}
				if err == nil || strings.ReplaceAll(err.Error(), id, "ID") != want || len(a.images()) > 0 || len(a.pairs) != 1 {
					t.Errorf("error %v, want %s; there are %q and %d key pairs", err, want, a.images(), len(a.pairs))
				}
				slices.Sort(x.undone)
				if want := []string{"i-1", "sg-1", "snap-1"}; !slices.Equal(x.undone, want) {
					t.Errorf("took back %q, want %q", x.undone, want)
				}
			})
		})
	}
}
