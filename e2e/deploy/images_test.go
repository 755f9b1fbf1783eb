package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

const baseID = "ami-22de994a"

// template is that of all images: the application of the tests, with what is to be wrong with it.
const template = `{
  "variables": {"mode": "", "after": "0", "restart": "always", "failure": "none"},
  "builders": [{
    "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "source_ami": "` + baseID + `",
    "ssh_username": "admin", "ami_name": "serve {{user ` + "`mode`" + `}} {{uuid}}"
  }],
  "provisioners": [
    {"type": "file", "source": "serve", "destination": "/tmp/serve"},
    {"type": "file", "source": "serve.service", "destination": "/tmp/serve.service"},
    {"type": "shell", "inline": [
      "sudo install -m 755 /tmp/serve /usr/local/bin/serve",
      "sed 's/RESTART/{{user ` + "`restart`" + `}}/; s/FAILURE/{{user ` + "`failure`" + `}}/' /tmp/serve.service | sudo tee /etc/systemd/system/serve.service",
      "echo '{\"mode\": \"{{user ` + "`mode`" + `}}\", \"after\": {{user ` + "`after`" + `}}}' | sudo tee /etc/serve.json",
      "sudo systemctl enable serve"
    ]}
  ]
}
`

const unit = `[Unit]
Description=the application of the deploy tests
Wants=network-online.target
After=network-online.target
FailureAction=FAILURE

[Service]
ExecStart=/usr/local/bin/serve :8080 /etc/serve.json
Restart=RESTART
RestartSec=1
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
`

// baked are the images, each baked when it is first asked for.
var baked = struct {
	mu    sync.Mutex
	turns chan struct{}
	bakes map[string]func() (string, error)
}{turns: make(chan struct{}, 2), bakes: map[string]func() (string, error){}}

// image is the image with these variables, as imago build takes them.
func image(t *testing.T, vars ...string) string {
	t.Helper()
	key := strings.Join(vars, " ")
	baked.mu.Lock()
	bake := baked.bakes[key]
	if bake == nil {
		bake = sync.OnceValues(func() (string, error) { return bakeImage(t, vars) })
		baked.bakes[key] = bake
	}
	baked.mu.Unlock()
	id, err := bake()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func bakeImage(t *testing.T, vars []string) (string, error) {
	for name, text := range map[string]string{"t.json": template, "serve.service": unit} {
		if err := os.WriteFile(filepath.Join(cloud.dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	args := []string{}
	for _, v := range vars {
		args = append(args, "-var", v)
	}
	return buildImage(t, append(args, "t.json")...)
}

// buildImage runs imago build.
func buildImage(t *testing.T, args ...string) (string, error) {
	baked.turns <- struct{}{}
	defer func() { <-baked.turns }()
	r := cloud.imago(after(t), append([]string{"build", "--local"}, args...)...)
	if r.code != 0 {
		return "", fmt.Errorf("imago build: exit %d\n%s", r.code, r.stderr)
	}
	return strings.TrimSpace(r.stdout), nil
}

// version is a good image of its own: a copy of the one that is baked.
func version(t *testing.T) string {
	t.Helper()
	api := ec2.NewFromConfig(cloud.config(""))
	out, err := api.CopyImage(t.Context(), &ec2.CopyImageInput{
		Name: aws.String(fmt.Sprintf("serve %s %d", t.Name(), time.Now().UnixNano())), SourceImageId: aws.String(image(t)), SourceRegion: aws.String("us-east-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ec2.NewImageAvailableWaiter(api, func(o *ec2.ImageAvailableWaiterOptions) { o.MinDelay, o.MaxDelay = time.Second/10, time.Second }).
		Wait(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{*out.ImageId}}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return *out.ImageId
}
