package localcloud_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/localcloud"
)

// tokens are credentials of which there are new ones after each Invalidate.
type tokens struct {
	keys aws.Credentials
	n    atomic.Int32
	same bool
}

func (k *tokens) Retrieve(context.Context) (aws.Credentials, error) {
	c := k.keys
	c.SessionToken, c.Source = "old", "SharedConfigCredentials: /home/me/.aws/credentials"
	if k.n.Add(1) > 1 && !k.same {
		c.SessionToken = "new"
	}
	return c, nil
}

// expire makes the cloud refuse the old token from the middle of the bake on.
func (b *baker) expire(t *testing.T, same bool) {
	keys := must[aws.Credentials](t)(b.sdk.Credentials.Retrieve(t.Context()))
	b.sdk.Credentials = aws.NewCredentialsCache(&tokens{keys: keys, same: same})
	b.run = func() { b.faults(`{"rules": [{"action": "*", "token": "old", "error": "ExpiredToken"}]}`) }
}

// TestExpiredCredentials: credentials that expire in the middle of a bake are renewed.
func TestExpiredCredentials(t *testing.T) {
	b := newBaker(t)
	b.expire(t, false)
	if _, err := b.bake(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(done(), b.left()); diff != "" {
		t.Errorf("left, -want +got:\n%s", diff)
	}
}

// TestCredentialsThatStayExpired: what cannot be renewed is said with where it
// came from, and what is left with it.
func TestCredentialsThatStayExpired(t *testing.T) {
	b := newBaker(t)
	b.expire(t, true)
	_, err := b.bake(t.Context())
	leak, want := new(builder.LeakError), "the AWS credentials have expired, which came from SharedConfigCredentials: /home/me/.aws/credentials: renew them there, and run it again: "
	if !errors.As(err, &leak) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want a leak, and %s", err, want)
	}
	b.faults("")
	if diff := cmp.Diff(left{Instances: []string{"running"}, Pairs: 1, Groups: 1}, b.left()); diff != "" {
		t.Errorf("left, -want +got:\n%s", diff)
	}
}

// TestClocksApart: requests are signed by AWS's clock, and who minds the builder hears of it once.
func TestClocksApart(t *testing.T) {
	for _, ahead := range []time.Duration{20 * time.Minute, -3 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			b := newBaker(t)
			b.faults(rules(t, localcloud.Faults{Clock: localcloud.Span(ahead), Rules: []localcloud.FaultRule{}}))
			var told []time.Duration
			b.calls.OnSkew = func(d time.Duration) { told = append(told, d.Round(10*time.Second)) }
			if _, err := b.bake(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(told, []time.Duration{ahead}) {
				t.Errorf("told of %v, want %v", told, ahead)
			}
		})
	}
}

// TestClocksThatStayApart: where requests cannot be signed by AWS's clock, the error has both times.
func TestClocksThatStayApart(t *testing.T) {
	b := newBaker(t)
	b.sdk.DisableClockSkewCorrection = true
	b.faults(`{"clock": "20m", "rules": []}`)
	_, err := b.bake(t.Context())
	at := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
	want := `this computer's clock says ` + at + ` and AWS's ` + at + `, which is (19m5\ds|20m0s) apart: set the clock \(timedatectl set-ntp true\): .*RequestExpired`
	if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
		t.Errorf("error %v, want %s", err, want)
	}
}
