package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/provision"
)

// identityOf prints what one machine alone should have.
const identityOf = `cat /etc/machine-id; sudo ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2; sudo cat /root/.ssh/authorized_keys ~/.ssh/authorized_keys | grep -o 'AAAA[^ ]*' | sort -u`

// TestHygiene: the build's key, the host key and the machine's id do not reach
// the image; a machine made from it has its own.
func TestHygiene(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `
		{"type": "shell", "inline": ["( `+strings.ReplaceAll(identityOf, `"`, `\"`)+` ) > /tmp/was", "echo secret > ~/.bash_history"]},
		{"type": "file", "direction": "download", "source": "/tmp/was", "destination": "was"}`))
	id := imago(t, dir, "build", "--local", "t.json")
	removeImage(t, id)
	b, err := os.ReadFile(filepath.Join(dir, "was"))
	if err != nil {
		t.Fatal(err)
	}
	was := strings.Fields(string(b))

	host, login := start(t, id)
	out, err := host.Output(t.Context(), identityOf+`; ls -a ~ | grep bash_history || true; ls /var/lib/cloud/instances | wc -l`)
	if err != nil {
		t.Fatal(err)
	}
	is := strings.Fields(out)
	if len(was) != 3 || len(is) != 4 {
		t.Fatalf("the build's machine had %q, the image's has %q", was, is)
	}
	for i, what := range []string{"machine-id", "host key", "authorized key"} {
		if was[i] == is[i] {
			t.Errorf("the %s is the build's: %s", what, is[i])
		}
	}
	if !strings.Contains(login.Public, is[2]) || is[3] != "1" {
		t.Errorf("the machine has keys %s and %s cloud-init instances, want the key %s and 1", is[2], is[3], login.Public)
	}
}

// TestCloudInitForgets: what cloud-init knows of the build's machine goes, where
// it keeps that and where a configuration says; what is the image's own stays.
func TestCloudInitForgets(t *testing.T) {
	leavesNothing(t)
	t.Run("as it goes on", testCloudInitGoesOn)
	for name, test := range map[string]struct{ config, log string }{
		"as usual":        {"", "/var/log/cloud-init.log"},
		"a log elsewhere": {"def_log_file: /var/log/our.log", "/var/log/our.log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, "t.json", template(admin, `
				{"type": "shell", "execute_command": "sudo sh {{.Path}}", "inline": [
					"echo '`+test.config+`' > /etc/cloud/cloud.cfg.d/99.cfg",
					"mkdir -p /var/lib/cloud/seed/ours /var/lib/cloud/theirs",
					"echo of-the-build >> `+test.log+`",
					"echo 'echo yes >> /var/cleaned' > /etc/cloud/clean.d/50-ours; sed -i '1i #!/bin/sh' /etc/cloud/clean.d/50-ours; chmod +x /etc/cloud/clean.d/50-ours"]}`))
			id := imago(t, dir, "build", "--local", "t.json")
			removeImage(t, id)
			host, _ := start(t, id)
			got, err := host.Output(t.Context(), `cat /var/cleaned; ls -d /var/lib/cloud/seed/ours /var/lib/cloud/theirs 2>/dev/null; sudo grep of-the-build `+test.log+` || true`)
			if want := "yes\n/var/lib/cloud/seed/ours\n"; err != nil || got != want {
				t.Errorf("the image's machine says %q, %v; want %q", got, err, want)
			}
		})
	}
}

// testCloudInitGoesOn: a cloud-init that is not done when its state goes writes
// no more of it, here where it would go on with its first boot exactly then.
func testCloudInitGoesOn(t *testing.T) {
	t.Parallel()
	options := admin + `, "user_data": "#!/bin/sh\ntouch /run/begun\nwhile [ -e /var/lib/cloud/instance ]; do sleep 0.01; done\n"`
	dir := write(t, "t.json", template(options, `{"type": "shell", "inline": ["until [ -e /run/begun ]; do sleep 0.1; done"]}`))
	id := imago(t, dir, "build", "--local", "t.json")
	removeImage(t, id)
	for name := range tree(t, id) {
		if strings.HasPrefix(name, "/var/lib/cloud/instance") {
			t.Errorf("the image has %s", name)
		}
	}
}

// start runs an instance of an image until the test ends, and logs in.
func start(t *testing.T, image string) (*provision.Host, provision.Key) {
	t.Helper()
	key, err := provision.NewKey("e2e")
	if err != nil {
		t.Fatal(err)
	}
	api, name := client(t), aws.String("e2e-"+t.Name())
	if _, err := api.ImportKeyPair(t.Context(), &ec2.ImportKeyPairInput{KeyName: name, PublicKeyMaterial: []byte(key.Public)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.DeleteKeyPair(after(t), &ec2.DeleteKeyPairInput{KeyName: name}) })
	out, err := api.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: &image, KeyName: name, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{*out.Instances[0].InstanceId}
	t.Cleanup(func() {
		api.TerminateInstances(after(t), &ec2.TerminateInstancesInput{InstanceIds: ids})
		await(t, "terminated", func() bool { return stateOf(t, ids[0]) == types.InstanceStateNameTerminated })
	})
	var host *provision.Host
	await(t, "SSH", func() bool {
		all, err := api.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})
		if err != nil || aws.ToString(instances(all)[0].PublicIpAddress) == "" {
			return false
		}
		host, err = provision.Dial(t.Context(), *instances(all)[0].PublicIpAddress+":22", provision.Identity{
			User: "admin", Keys: [][]byte{key.Private}, HostKey: provision.HostKey{Insecure: true},
		})
		return err == nil
	})
	t.Cleanup(func() { host.Close() })
	return host, key
}

// stateOf is an instance's state.
func stateOf(t *testing.T, id string) types.InstanceStateName {
	t.Helper()
	out, err := client(t).DescribeInstances(after(t), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	return instances(out)[0].State.Name
}

// await looks until something is true, for at most two minutes.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s after two minutes", what)
		}
	}
}
