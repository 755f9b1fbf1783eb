package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/imagobuild/imago/provision"
)

// The base image, its user, and the id under which it is registered.
const (
	baseImage = "debian-12"
	baseID    = "ami-22de994a"
	baseUser  = "admin"
)

// cloud is a local cloud of our own, with one machine that the programs which
// bake nothing upload to.
type cloud struct {
	imago   string // the binary
	dir     string
	env     []string // for every program that is measured
	api     string   // the endpoint
	keyFile string
	machine string // the address of its sshd
}

// openCloud starts a cloud with its state below dir, and the machine.
func openCloud(ctx context.Context, imago, dir string) (*cloud, error) {
	c := newCloud(imago, dir)
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// newCloud is a cloud that does not run yet.
func newCloud(imago, dir string) *cloud {
	return &cloud{imago: imago, dir: dir, keyFile: filepath.Join(dir, "key"),
		env: append(inherited(), "IMAGO_STATE_DIR="+filepath.Join(dir, "state"), "CHECKPOINT_DISABLE=1",
			"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "PACKER_CONFIG_DIR="+dir, "PACKER_NO_COLOR=1")}
}

// inherited is our environment without the user's AWS settings.
func inherited() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "IMAGO_STATE_DIR=") && !strings.HasPrefix(kv, "PACKER_") {
			env = append(env, kv)
		}
	}
	return env
}

func (c *cloud) start(ctx context.Context) error {
	if err := c.up(ctx); err != nil {
		return err
	}
	return c.launch(ctx)
}

// up starts the cloud, without a machine.
func (c *cloud) up(ctx context.Context) error {
	for _, args := range [][]string{{"local", "up"}, {"local", "image", "add", baseImage, "--id", baseID}} {
		if _, err := c.output(ctx, c.imago, args...); err != nil {
			return err
		}
	}
	exports, err := c.output(ctx, c.imago, "local", "env")
	if err != nil {
		return err
	}
	for line := range strings.Lines(exports) {
		kv := strings.TrimSpace(strings.TrimPrefix(line, "export "))
		c.env = append(c.env, kv)
		if v, ok := strings.CutPrefix(kv, "AWS_ENDPOINT_URL="); ok {
			c.api = v
		}
	}
	return c.makeKey(ctx)
}

// makeKey gives all programs the same key to log in with.
func (c *cloud) makeKey(ctx context.Context) error {
	key, err := provision.NewKey("bench")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.keyFile, key.Private, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(c.keyFile+".pub", []byte(key.Public), 0o644); err != nil {
		return err
	}
	return c.aws(ctx, nil, "import-key-pair", "--key-name", "bench", "--public-key-material", "fileb://"+c.keyFile+".pub")
}

func (c *cloud) launch(ctx context.Context) error {
	var launched struct {
		Instances []struct {
			InstanceID string `json:"InstanceId"`
			Address    string `json:"PrivateIpAddress"`
		}
	}
	err := c.aws(ctx, &launched, "run-instances", "--image-id", baseID, "--instance-type", "t3.micro", "--key-name", "bench")
	if err != nil {
		return err
	}
	first := launched.Instances[0]
	if err := c.aws(ctx, nil, "wait", "instance-running", "--instance-ids", first.InstanceID); err != nil {
		return err
	}
	c.machine = net.JoinHostPort(first.Address, "22")
	_, err = c.output(ctx, "ssh", append(c.sshOptions(c.machine), "-o", "ConnectTimeout=30", "-o", "ConnectionAttempts=30", destination(c.machine), settle)...)
	return err
}

// settle makes the machine one to upload to. Without lingering, logind takes away
// what the user has in /dev/shm ten seconds after the last session has ended
// (logind.conf(5), RemoveIPC), as between two runs that wait for a quiet computer.
const settle = "tar --version && rsync --version && nproc && sudo loginctl enable-linger " + baseUser

// sshOptions are for OpenSSH's programs. The key is not checked: the machine is
// one of our own, on this computer, and behind a relay besides.
func (c *cloud) sshOptions(addr string) []string {
	_, port, _ := net.SplitHostPort(addr)
	return []string{"-F", "none", "-i", c.keyFile, "-o", "Port=" + port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"}
}

func destination(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	return baseUser + "@" + host
}

// on runs a command on the machine, directly.
func (c *cloud) on(ctx context.Context, command string) (string, error) {
	return c.output(ctx, "ssh", append(c.sshOptions(c.machine), destination(c.machine), command)...)
}

// aws runs awscli's ec2, and decodes what it prints into out.
func (c *cloud) aws(ctx context.Context, out any, args ...string) error {
	text, err := c.output(ctx, "aws", append([]string{"--endpoint-url", c.api, "--output", "json", "ec2"}, args...)...)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal([]byte(text), out)
}

func (c *cloud) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = c.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}

// close stops the cloud and its machines, whatever became of the measurement.
func (c *cloud) close() error {
	_, err := c.output(context.Background(), c.imago, "local", "down")
	return err
}

// loopback is a relay's address.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
