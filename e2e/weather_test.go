package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

var weather = flag.Int("weather", 3, "how many bakes TestBadWeather does")

// badWeather is an account that others use too, and an AWS that takes ten
// seconds to know what it has made.
const badWeather = `{"seed": 1, "rules": [
	{"action": "*", "share": 0.3, "error": "RequestLimitExceeded"},
	{"action": "*", "consistency": "10s"}
]}`

// many is a template with n builds, of one script each.
func many(n int, options string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"name": "b%02d", "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "ami_name": "e2e %d {{timestamp}} {{uuid}}"%s}`, i, i, options))
	}
	return `{"builders": [` + strings.Join(all, ",\n") + `], "provisioners": [{"type": "shell", "inline": ["echo hello"]}]}`
}

// built is what `imago build --json` says.
type built struct {
	Images []struct {
		Build, ID string
		Seconds   float64
	}
	Errors []struct{ Build, Message string }
}

// reported reads that, and wants n images.
func reported(t *testing.T, r result, n int) (b built) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), &b); err != nil {
		t.Fatalf("exit %d, %v in %s%s", r.code, err, r.stdout, r.stderr)
	}
	if r.code != 0 || len(b.Images) != n || len(b.Errors) > 0 {
		t.Errorf("exit %d, %d images of %d, errors %q\n%s", r.code, len(b.Images), n, b.Errors, r.stderr)
	}
	return b
}

// TestBadWeather: all bakes succeed, and leave nothing but their images, while AWS
// throttles a third of all calls and knows nothing at once. How long they take
// is measured by weather.sh.
func TestBadWeather(t *testing.T) {
	dir := write(t, "t.json", many(*weather, admin), "weather.json", badWeather)
	slowly(t, "") // so that no other test has this weather
	leavesNothing(t)
	imago(t, "", "local", "faults", filepath.Join(dir, "weather.json"))
	r := cloud.exec(t.Context(), dir, "build", "--local", "--json", "--parallel-builds", "5", "t.json")
	imago(t, "", "local", "faults", "off")
	for _, img := range reported(t, r, *weather).Images {
		removeImage(t, img.ID)
	}
}

// TestBusyCloudInit: what a slow first boot still writes does not end the bake.
func TestBusyCloudInit(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "script": "busy.sh"}`), "busy.sh", `#!/bin/sh
sudo setsid sh -c 'i=0; while [ $i -lt 150000 ]; do i=$((i + 1)); { : > /var/lib/cloud/data/$i; } 2> /dev/null || mkdir -p /var/lib/cloud/data; done' < /dev/null > /dev/null 2>&1 &
`)
	removeImage(t, imago(t, dir, "build", "--local", "t.json"))
}
