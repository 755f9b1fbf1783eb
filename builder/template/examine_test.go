package template_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

const toExamine = `{
  "variables": {"force": "true"},
  "builders": [{
    "type": "amazon-ebs", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "aaa",
    "metadata_options": {"http_put_response_hop_limit": 2},
    "security_group_id": "sg-1", "shutdown_behavior": "terminate", "ssh_handshake_attempts": 10,
    "force_deregister": "{{user ` + "`force`" + `}}",
    "encrypt_boot": false,
    "ssh_file_transfer_method": "scp",
    "launch_block_device_mappings": [
      {"device_name": "/dev/sda1", "volume_type": "gp2"},
      {"device_name": "/dev/sdb", "delete_on_termination": false, "volume_type": "gp2"}
    ]
  }],
  "provisioners": [{"type": "shell", "inline": ["true"]}]
}`

// TestExamine: what differs is what the template does not say, or says and means something else here.
func TestExamine(t *testing.T) {
	o := options(nil)
	o.Getwd = t.TempDir()
	write(t, filepath.Join(o.Getwd, "t.json"), toExamine)
	e := template.Examine("t.json", o)
	if e.Checked == nil || e.Shape == nil || len(e.Problems) != 0 {
		t.Fatalf("%+v", e)
	}
	got := map[string][]template.Finding{"differences": e.Differences, "notices": e.Notices}
	want := map[string][]template.Finding{
		"differences": {
			{File: "t.json", Line: 3, Option: "ssh_disable_agent_forwarding", Text: "the agent is lent only with ssh_agent_auth; Packer lends any that runs"},
			{File: "t.json", Line: 3, Option: "temporary_key_pair_type", Text: "ed25519; Packer: rsa, made by AWS"},
			{File: "t.json", Line: 5, Option: "http_tokens", Text: "required; Packer: optional"},
			{File: "t.json", Line: 7, Option: "force_deregister", Text: "the older image goes when the new one is available; Packer takes it away before"},
			{File: "t.json", Line: 11, Option: "delete_on_termination", Text: "true; Packer: false, which leaves volumes behind"},
		},
		"notices": {{File: "t.json", Line: 9, Option: "ssh_file_transfer_method", Text: "ssh_file_transfer_method has no effect: files always travel by SFTP"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestExamineProblems: what would stop a build comes with its line, and the shape is there all the same.
func TestExamineProblems(t *testing.T) {
	o := options(nil)
	o.Getwd = t.TempDir()
	write(t, filepath.Join(o.Getwd, "t.json"), "{\"builders\": [\n{\"type\": \"amazon-ebs\", \"communicator\": \"winrm\", \"source_ami\": \"ami-1\","+
		"\"instance_type\": \"t3.micro\", \"ssh_username\": \"admin\", \"ami_name\": \"aaa\"}],\n\"provisioners\": [{\"type\": \"powershell\"}]}")
	e := template.Examine("t.json", o)
	want := []template.Finding{
		{File: "t.json", Line: 2, Text: "communicator \"winrm\" is not supported; Windows images are not made yet"},
		{File: "t.json", Line: 3, Text: "provisioner powershell is not supported yet; Windows images are not made yet"},
	}
	if diff := cmp.Diff(want, e.Problems); diff != "" || e.Checked != nil || e.Shape == nil || len(e.Shape.Builds) != 1 {
		t.Errorf("problems (-want +got):\n%s\n%+v", diff, e)
	}
}
