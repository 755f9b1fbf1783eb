package deploy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/imagobuild/imago/builder/deploy"
)

// weather is that of the calls with the session token: a third is throttled, some
// fail or are cut off, and what is made is not known at once.
const weather = `{"seed": 7, "rules": [
  {"action": "*", "token": "weather", "share": 0.25, "error": "RequestLimitExceeded"},
  {"action": "*", "token": "weather", "share": 0.03, "error": "InternalError"},
  {"action": "*", "token": "weather", "share": 0.03, "reset": "after"},
  {"action": "*", "token": "weather", "share": 0.03, "reset": "before"},
  {"action": "CreateLaunchTemplate*", "token": "weather", "consistency": "4s"},
  {"action": "CreateAutoScalingGroup", "token": "weather", "consistency": "4s"},
  {"action": "ImportKeyPair", "token": "weather", "consistency": "3s"}
]}
`

// TestBadWeather: a release ends the same when AWS throttles it, loses answers
// and does not know yet what it has just made.
func TestBadWeather(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "weather")
	p.Min, p.Desired = 1, 1
	path := filepath.Join(t.TempDir(), "weather.json")
	if err := os.WriteFile(path, []byte(weather), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := cloud.imago(t.Context(), "local", "faults", path); r.code != 0 {
		t.Fatal(r.stderr)
	}
	t.Cleanup(func() { cloud.imago(after(t), "local", "faults", "off") })
	release := func(image string) {
		t.Helper()
		d := deployerIn(func(cfg *aws.Config) {
			cfg.Credentials = credentials.NewStaticCredentialsProvider(cloud.exports["AWS_ACCESS_KEY_ID"], cloud.exports["AWS_SECRET_ACCESS_KEY"], "weather")
		}, "")
		d.Holder, d.Notify = "anna@laptop", func(e deploy.Event) { t.Logf("%s %-6s %s", e.At.Format("05.000"), e.Step, e.Text) }
		if _, err := d.Run(t.Context(), p.Environment, deploy.Wanted{Image: image}); err != nil {
			t.Fatal(explained(err))
		}
	}
	first, second := version(t), version(t)
	release(first)
	p.serves(t, 1, first)
	report := p.underLoad(t, light(), func() {
		release(second)
		time.Sleep(time.Second)
	})
	spotless(t, report)
	p.serves(t, 2, second)
	if left := p.leftOver(t); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}
