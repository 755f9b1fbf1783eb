package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/provision"
)

// TestOptions bakes once with each family of options, and looks at what is
// different from the trivial bake.
func TestOptions(t *testing.T) {
	t.Run("source by filter", func(t *testing.T) {
		bake(t, `, "ssh_username": "admin", "source_ami_filter": {"filters": {"name": "debian-12-amd64-*"}, "owners": ["136693071363"], "most_recent": true}`, `true`)
	})
	t.Run("source by parameter", func(t *testing.T) {
		bake(t, `, "ssh_username": "admin", "source_ami": "resolve:ssm:/aws/service/debian/release/12/latest/amd64"`, `true`)
	})
	t.Run("existing network", func(t *testing.T) {
		group, subnet := existing(t)
		bake(t, admin+fmt.Sprintf(`, "security_group_id": %q, "subnet_id": %q, "associate_public_ip_address": true, "ssh_interface": "private_ip"`, group, subnet), `true`)
	})
	t.Run("user-data", func(t *testing.T) {
		bake(t, admin+`, "user_data": "#!/bin/sh\necho was here > /root/user-data\n"`, `cloud-init status --wait; sudo grep here /root/user-data`)
	})
	t.Run("profile and tunnels", func(t *testing.T) {
		here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from here") }))
		defer here.Close()
		_, port, err := net.SplitHostPort(strings.TrimPrefix(here.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		out := bake(t, admin+fmt.Sprintf(`, "ssh_remote_tunnels": ["18080:127.0.0.1:%s"], "temporary_iam_instance_profile_policy_document":
			{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]}`, port),
			`curl -fsS http://localhost:18080; T=$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token); `+
				`curl -fsS -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/meta-data/iam/info`)
		if !strings.Contains(out, "from here") || !strings.Contains(out, "instance-profile/imago/us-east-1/imago-") {
			t.Errorf("no answer through the tunnel, or no profile:\n%s", out)
		}
	})
	t.Run("metadata", func(t *testing.T) {
		v1 := `curl -fsS -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id || true`
		if out := bake(t, admin, v1); !strings.Contains(out, "401") {
			t.Errorf("version 1 of the metadata service answers where nobody asked for it:\n%s", out)
		}
		if out := bake(t, admin+`, "metadata_options": {"http_tokens": "optional"}`, v1); !strings.Contains(out, "200") {
			t.Errorf("version 1 of the metadata service does not answer:\n%s", out)
		}
	})
}

// TestHostKeyModes: the machine is recognised in each of the ways that the user may choose.
func TestHostKeyModes(t *testing.T) {
	host, err := provision.NewKey("host")
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal("#cloud-config\nssh_keys:\n  ed25519_private: |\n    " +
		strings.ReplaceAll(strings.TrimSpace(string(host.Private)), "\n", "\n    ") + "\n  ed25519_public: " + host.Public + "\n")
	if err != nil {
		t.Fatal(err)
	}
	ours := admin + `, "user_data": ` + string(config)
	bake(t, admin, `true`, "--ssh-host-key", "console")
	bake(t, ours, `true`, "--ssh-host-key", host.Fingerprint)
	if out := bake(t, admin, `true`, "--ssh-host-key", "off"); !strings.Contains(out, "not checked") {
		t.Errorf("no warning:\n%s", out)
	}

	leavesNothing(t)
	dir := write(t, "t.json", template(ours, ``))
	r := cloud.exec(t.Context(), dir, "build", "--local", "--ssh-host-key", "SHA256:"+strings.Repeat("A", 43), "t.json")
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, host.Fingerprint) {
		t.Errorf("a wrong fingerprint: exit %d, want 1, stdout %q, stderr without the key's %s:\n%s", r.code, r.stdout, host.Fingerprint, r.stderr)
	}
}

// TestKeysOfTheUser: an existing key pair, from a file and from an agent, and a
// bastion on the way.
func TestKeysOfTheUser(t *testing.T) {
	host, key := start(t, baseID)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, key.Private, 0o600); err != nil {
		t.Fatal(err)
	}
	mine := admin + `, "ssh_keypair_name": "e2e-` + t.Name() + `"`
	fromFile := mine + `, "ssh_private_key_file": "` + file + `"`
	bake(t, fromFile, `grep -q e2e ~/.ssh/authorized_keys`)

	addr, err := host.Output(t.Context(), "hostname -I")
	if err != nil {
		t.Fatal(err)
	}
	through := fromFile + fmt.Sprintf(`, "ssh_bastion_host": %q, "ssh_bastion_username": "admin", "ssh_bastion_private_key_file": %q`,
		strings.TrimSpace(addr), file)
	cameFrom := `echo $SSH_CONNECTION | grep -F ` + strings.TrimSpace(addr)
	keys, err := exec.Command("ssh-keyscan", strings.TrimSpace(addr)).Output()
	if err != nil {
		t.Fatal(err)
	}
	home := write(t, ".ssh/known_hosts", string(keys))
	was := os.Getenv("HOME")
	t.Setenv("HOME", home)
	bake(t, through, cameFrom)
	t.Setenv("HOME", was)
	bake(t, through, cameFrom, "--ssh-host-key", "off")

	agent(t, file)
	bake(t, mine+`, "ssh_agent_auth": true`, `true`)
}

// TestResult: tags, sharing, a copy in another region, another volume, and a
// second bake of the same name that replaces the first.
func TestResult(t *testing.T) {
	leavesNothing(t)
	options := strings.Replace(admin, `"source_ami"`, `"ami_description": "from {{ .SourceAMI }}", "tags": {"Base": "{{ .SourceAMIName }}"},
		"ami_users": ["111122223333"], "ami_regions": ["us-west-2"], "imds_support": "v2.0", "force_delete_snapshot": true,
		"launch_block_device_mappings": [{"device_name": "/dev/sdf", "volume_size": 3, "volume_type": "gp3", "delete_on_termination": true}], "source_ami"`, 1)
	named := strings.Replace(template(options, ``), "e2e {{timestamp}} {{uuid}}", "e2e result", 1)
	dir := write(t, "t.json", named)
	first := bakeIn(t, dir)
	if r := cloud.exec(t.Context(), dir, "build", "--local", "--no-reuse", "t.json"); r.code != 1 || !strings.Contains(r.stderr, first.id) {
		t.Errorf("a taken name: exit %d, want 1, and %s in:\n%s", r.code, first.id, r.stderr)
	}
	second := bakeIn(t, dir, "-force")
	removeImage(t, second.id)
	west := clientIn(t, "us-west-2")

	img := describe(t, client(t), "e2e result")
	copied := describe(t, west, "e2e result")
	t.Cleanup(func() { remove(t, west, *copied.ImageId) })
	if *img.ImageId != second.id || aws.ToString(img.Description) != "from "+baseID || img.ImdsSupport != types.ImdsSupportValuesV20 {
		t.Errorf("image %s, %q, %q", *img.ImageId, aws.ToString(img.Description), img.ImdsSupport)
	}
	if len(img.BlockDeviceMappings) != 2 || *img.BlockDeviceMappings[1].Ebs.VolumeSize != 3 {
		t.Errorf("block devices %+v", img.BlockDeviceMappings)
	}
	for _, i := range []types.Image{img, copied} {
		if base := tag(i.Tags, "Base"); !strings.HasPrefix(base, "debian-12-") {
			t.Errorf("%s has the tag Base=%q", *i.ImageId, base)
		}
	}
}

// baked is what a bake printed.
type baked struct{ id, log string }

// bakeIn runs the template in a directory.
func bakeIn(t *testing.T, dir string, args ...string) baked {
	t.Helper()
	r := cloud.exec(t.Context(), dir, append(append([]string{"build", "--local"}, args...), "t.json")...)
	if r.code != 0 {
		t.Fatalf("%q: exit %d\n%s", args, r.code, r.stderr)
	}
	return baked{strings.TrimSpace(r.stdout), r.stderr}
}

// bake bakes an image with options and a script, removes it again, checks that
// nothing else is left, and returns what was said.
func bake(t *testing.T, options, script string, args ...string) (log string) {
	t.Helper()
	before := inventory(t)
	line, err := json.Marshal(script)
	if err != nil {
		t.Fatal(err)
	}
	b := bakeIn(t, write(t, "t.json", template(options, `{"type": "shell", "inline": [`+string(line)+`]}`)), args...)
	remove(t, client(t), b.id)
	if left := added(before, inventory(t)); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
	return b.log
}

// existing makes a security group of the user's own, and finds a subnet.
func existing(t *testing.T) (group, subnet string) {
	t.Helper()
	api := client(t)
	made, err := api.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("mine"), Description: aws.String("of the user")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := api.DeleteSecurityGroup(after(t), &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId}); err != nil {
			t.Error(err)
		}
	})
	subnets, err := api.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return *made.GroupId, *subnets.Subnets[1].SubnetId
}

// agent runs an SSH agent with a key until the test ends.
func agent(t *testing.T, key string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "agent")
	cmd := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	await(t, "an agent", func() bool { _, err := os.Stat(socket); return err == nil })
	t.Setenv("SSH_AUTH_SOCK", socket)
	if out, err := exec.Command("ssh-add", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-add: %v\n%s", err, out)
	}
}

// describe finds the one image of a name.
func describe(t *testing.T, api *ec2.Client, name string) types.Image {
	t.Helper()
	out, err := api.DescribeImages(t.Context(), &ec2.DescribeImagesInput{
		Owners: []string{"self"}, Filters: []types.Filter{{Name: aws.String("name"), Values: []string{name}}},
	})
	if err != nil || len(out.Images) != 1 {
		t.Fatalf("%d images named %q (%v)", len(out.Images), name, err)
	}
	return out.Images[0]
}

func tag(tags []types.Tag, key string) string {
	for _, t := range tags {
		if *t.Key == key {
			return *t.Value
		}
	}
	return ""
}
