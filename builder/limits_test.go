package builder

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// TestLimits: clients of one account share what AWS allows of an action in a
// region; other actions and other regions have their own.
func TestLimits(t *testing.T) {
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`<Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>`))
	}))
	defer cloud.Close()
	var calls Calls
	client := func(region string) *ec2.Client {
		cfg := aws.Config{
			Region: region, BaseEndpoint: &cloud.URL,
			Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		}
		calls.Configure(&cfg)
		return ec2.NewFromConfig(cfg)
	}
	run := func(c *ec2.Client) time.Duration {
		start := time.Now()
		if _, err := c.RunInstances(t.Context(), &ec2.RunInstancesInput{MinCount: aws.Int32(1), MaxCount: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	a, b := client("us-east-1"), client("us-east-1")
	for range 4 {
		run(a)
	}
	if waited := run(b); waited > 300*time.Millisecond {
		t.Errorf("the fifth waited %v", waited)
	}
	if waited := run(b); waited < 100*time.Millisecond {
		t.Errorf("the sixth waited %v only", waited)
	}
	if waited := run(client("eu-west-1")); waited > 300*time.Millisecond {
		t.Errorf("the first in another region waited %v", waited)
	}
}
