package deploy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/deploy"
)

// bad is an image that must not come into service.
type bad struct {
	name     string
	image    func(t *testing.T) string
	machines int
	why      string // in UnhealthyError.Why
	evidence string // in its Evidence
}

func with(vars ...string) func(*testing.T) string {
	return func(t *testing.T) string { return image(t, vars...) }
}

// badImages are those that are refused before users reach them: all of them with
// -everywhere, and else three that differ most.
func badImages() []bad {
	all := []bad{
		{"crashes again and again", with("mode=crash"), 1, "unhealthy: Health checks failed", "cannot find module 'left-pad'"},
		{"is another version", with("mode=wrong"), 1, "another image answers: ami-00000000000000000, and not ami-", "Started"},
		{"is healthy on half of its machines", with("mode=half"), 2, "2 of 2 in service, 1 healthy; i-", "no connection to the database"},
		{"answers 500", with("mode=500"), 1, "Health checks failed with these codes: [500]", "no connection to the database"},
		{"answers 400 to everything", with("mode=400"), 1, "status 400 Bad Request", "Started"},
		{"takes too long", with("mode=slow", "after=300"), 1, "not healthy after 15s: ", "no connection to the database"},
		{"boots and dies", with("mode=dies", "after=1", "restart=no", "failure=poweroff-force"), 1, "a machine ended: Terminating EC2 instance: i-", ""},
		{"is the one of 2015", published, 1, "Health checks failed with these codes: [400]", ""},
	}
	if !*everywhere {
		return all[:3]
	}
	return all
}

// TestBadImages: a bad image is refused, and says why. The one before serves on,
// nobody notices, and nothing of the bad one is left.
func TestBadImages(t *testing.T) {
	t.Parallel()
	for _, b := range badImages() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "bad "+b.name)
			p.Min, p.Desired = b.machines, b.machines
			old := version(t)
			p.release(t, old)
			before := p.inventory(t)
			id := b.image(t)
			p.Timeout = 15 * time.Second
			if b.machines > 1 { // one of them has to become healthy in it
				p.Timeout = 40 * time.Second
			}
			report := p.underLoad(t, light(), func() {
				_, err := p.deployer(t, "anna@laptop").Run(t.Context(), p.Environment, deploy.Wanted{Image: id})
				refused := new(deploy.UnhealthyError)
				if !errors.As(err, &refused) {
					t.Fatalf("the error is %v", err)
				}
				t.Log(refused)
				if said := strings.Join(refused.Evidence, "\n"); !strings.Contains(refused.Why, b.why) || !strings.Contains(said, b.evidence) {
					t.Errorf("why: %s\nwant %q in it\n%s\nwant %q in it", refused.Why, b.why, said, b.evidence)
				}
			})
			spotless(t, report)
			p.serves(t, 1, old)
			if diff := cmp.Diff(before, p.inventory(t)); diff != "" {
				t.Errorf("left behind: %s", diff)
			}
		})
	}
}

// TestBadLater: a release that becomes bad while it is watched goes, and the one
// before has the traffic again.
func TestBadLater(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "later")
	p.Min, p.Desired, p.Drain = 1, 1, time.Second
	old := version(t)
	p.release(t, old)
	p.Watch = 2 * time.Minute
	before := p.inventory(t)
	_, err := p.deployer(t, "anna@laptop").Run(t.Context(), p.Environment, deploy.Wanted{Image: image(t, "mode=dies", "after=30", "restart=no")})
	refused := new(deploy.UnhealthyError)
	if !errors.As(err, &refused) || !strings.Contains(refused.Why, "while it was watched: GET http://") || !strings.Contains(strings.Join(refused.Evidence, "\n"), "serve: out of memory") {
		t.Fatalf("the error is %v\n%s", err, explained(err))
	}
	p.serves(t, 1, old)
	if diff := cmp.Diff(before, p.inventory(t)); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

// published is an image that is configured as the published project of 2015 is:
// the load balancer speaks the PROXY protocol, and nginx does not know it. Here it
// is nginx that speaks it, too, in front of itself: a load balancer of today does not.
func published(t *testing.T) string {
	t.Helper()
	const template = `{
  "builders": [{
    "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "source_ami": "` + baseID + `", "ssh_username": "admin", "ami_name": "published {{uuid}}"
  }],
  "provisioners": [
    {"type": "file", "source": "nginx.conf", "destination": "/tmp/nginx.conf"},
    {"type": "shell", "inline": [
      "sudo apt-get -q update && sudo DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends nginx-light libnginx-mod-stream",
      "sudo cp /tmp/nginx.conf /etc/nginx/nginx.conf && sudo nginx -t && sudo systemctl enable nginx"
    ]}
  ]
}`
	const config = `include /etc/nginx/modules-enabled/*.conf;
events {}
stream {
  server { listen 8080; proxy_pass 127.0.0.1:8081; proxy_protocol on; }
}
http {
  server { listen 8081; location / { return 200 "ok\n"; } }
}
`
	for name, text := range map[string]string{"published.json": template, "nginx.conf": config} {
		if err := os.WriteFile(filepath.Join(cloud.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	id, err := buildImage(t, "published.json")
	if err != nil {
		t.Fatal(err)
	}
	return id
}
