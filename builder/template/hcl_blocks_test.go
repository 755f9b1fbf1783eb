package template_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/provision"
)

// TestBlocks: the options that are blocks of blocks in HCL2 come to the same as in JSON; a communicator block is told
// to have no effect.
func TestBlocks(t *testing.T) {
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": `
communicator "ssh" "web" {
  ssh_port = 2222
}
` + hclBake(`
  ssh_local_tunnels = ["8080:localhost:80"]
  deregistration_protection {
    enabled = true
  }
  license_specifications {
    license_configuration_request {
      license_configuration_arn = "arn:l"
    }
  }
  temporary_iam_instance_profile_policy_document {
    Version = "2012-10-17"
    Statement {
      Effect   = "Allow"
      Action   = ["s3:Get*"]
      Resource = ["*"]
    }
    Statement {
      Effect   = "Deny"
      Action   = ["s3:Put*"]
      Resource = ["*"]
    }
  }`, "", "")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Builds[0].Config
	if c.Output.Protect != builder.Protected || len(c.Instance.Licenses) != 1 || c.Instance.Licenses[0] != "arn:l" {
		t.Errorf("protection %q, licenses %q", c.Output.Protect, c.Instance.Licenses)
	}
	if diff := cmp.Diff([]provision.Tunnel{{Listen: "localhost:8080", Target: "localhost:80"}}, c.SSH.LocalTunnels); diff != "" {
		t.Errorf("tunnels (-want +got):\n%s", diff)
	}
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*"],"Resource":["*"]},{"Effect":"Deny","Action":["s3:Put*"],"Resource":["*"]}]}`
	if c.Instance.ProfilePolicy != policy {
		t.Errorf("policy %s, want %s", c.Instance.ProfilePolicy, policy)
	}
	want := []string{"t.pkr.hcl:2: communicator blocks have no effect, here as in Packer; write the ssh_ options into the source"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" || c.SSH.Port != 0 {
		t.Errorf("port %d, warnings (-want +got):\n%s", c.SSH.Port, diff)
	}
}
