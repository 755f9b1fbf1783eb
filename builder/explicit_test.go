package builder

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/provision"
)

// TestExplicitSettings: where our default is another one than Packer's, what a template says is obeyed. What shows in
// requests is in TestRequests.
func TestExplicitSettings(t *testing.T) {
	login := func(change func(*Config)) (id provision.Identity, key string) {
		synctest.Test(t, func(t *testing.T) {
			cloud, cfg := newFake(), trivial()
			b := newBuilder(t, cloud, &fakeMachine{})
			dial := b.Dial
			b.Dial = func(ctx context.Context, addr string, as provision.Identity) (Machine, error) {
				id = as
				return dial(ctx, addr, as)
			}
			change(&cfg)
			if _, err := b.Build(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			if in := asked(cloud, func(*ec2.ImportKeyPairInput) bool { return true }, ""); in != nil {
				key, _, _ = strings.Cut(string(in.PublicKeyMaterial), " ")
			}
		})
		return id, key
	}
	id, key := login(func(*Config) {})
	if key != "ssh-ed25519" || id.ForwardAgent || id.HostKey.Insecure || id.HostKey.Key == "" {
		t.Errorf("by default: key %s, identity %+v", key, id)
	}
	id, key = login(func(c *Config) {
		c.SSH.KeyType, c.SSH.KeyBits, c.SSH.HostKey = "rsa", 2048, HostKeyOff
	})
	if key != "ssh-rsa" || !id.HostKey.Insecure || id.HostKey.Key != "" {
		t.Errorf("an RSA key and no host key: key %s, identity %+v", key, id)
	}
	id, _ = login(func(c *Config) { c.SSH.AgentSocket, c.SSH.ForwardAgent = "/run/agent", true })
	if !id.ForwardAgent || id.AgentSocket != "/run/agent" {
		t.Errorf("an agent: identity %+v", id)
	}
}

// TestHandshakeAttempts: so many refused logins are enough.
func TestHandshakeAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cfg, tries := newBuilder(t, newFake(), nil), trivial(), 0
		b.Dial = func(context.Context, string, provision.Identity) (Machine, error) {
			tries++
			return nil, provision.ErrAuth
		}
		cfg.SSH.HandshakeAttempts = 4
		if _, err := b.Build(t.Context(), cfg); err == nil || tries != 4 {
			t.Errorf("%d tries, error %v; want 4 and an error", tries, err)
		}
	})
}
