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

// await looks until something is true, for at most half a minute.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s after half a minute", what)
		}
	}
}
