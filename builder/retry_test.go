package builder

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	"golang.org/x/time/rate"
)

// TestSlowsDown: how the pace of an action follows AWS's answers, for everybody who shares the account.
func TestSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l limits
		b := l.bucket("us-east-1", "CreateImage")
		tooMany, another := &smithy.GenericAPIError{Code: "RequestLimitExceeded"}, errors.New("another")
		var got []rate.Limit
		hear := func(pause time.Duration, errs ...error) {
			time.Sleep(pause)
			for _, err := range errs {
				l.adapt(l.bucket("us-east-1", "CreateImage"), err)
			}
			got = append(got, rate.Limit(int(b.Limit()*100+0.5)))
		}
		hear(0, nil, another)
		hear(0, tooMany)
		if left := b.Tokens(); left >= 1 {
			t.Errorf("%v calls may be made at once after AWS has refused one", left)
		}
		hear(0, tooMany, tooMany, another) // one of the same second
		hear(time.Second, tooMany)
		hear(0, nil, nil)
		for range 5 {
			time.Sleep(time.Second)
			l.adapt(b, tooMany)
		}
		hear(0)
		for range 100 {
			l.adapt(b, nil)
		}
		hear(0)
		if want := []rate.Limit{500, 350, 350, 245, 295, 125, 500}; !slices.Equal(got, want) {
			t.Errorf("a hundred times the calls a second: %v, want %v", got, want)
		}
		if other := l.bucket("us-east-1", "StopInstances").Limit(); other != 5 {
			t.Errorf("another action may be called %v times a second, want 5", other)
		}
	})
}

// TestPauses: pauses double to a ceiling, and chance makes them shorter, never longer.
func TestPauses(t *testing.T) {
	r := &retryer{calls: &Calls{}}
	for code, want := range map[string][2]time.Duration{
		"RequestLimitExceeded": {500 * time.Millisecond, 10 * time.Second},
		"Unavailable":          {200 * time.Millisecond, 10 * time.Second},
	} {
		err := &smithy.GenericAPIError{Code: code}
		for n := 1; n < 40; n++ {
			most := min(want[0]<<min(n-1, 10), want[1])
			for range 50 {
				if got, _ := r.RetryDelay(n, err); got < most/4 || got > most {
					t.Fatalf("%s: the pause after try %d is %v, want %v to %v", code, n, got, most/4, most)
				}
			}
		}
	}
}

// TestStranger: an endpoint that is not AWS's is asked once.
func TestStranger(t *testing.T) {
	var asked atomic.Int32
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { asked.Add(1); return nil, nil }}
	stranger.StartTLS()
	defer stranger.Close()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &stranger.URL, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}
	new(Calls).Configure(&cfg)
	_, err := ec2.NewFromConfig(cfg).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	if unknown := new(tls.CertificateVerificationError); !errors.As(err, &unknown) || asked.Load() != 1 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}
