package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud"
)

const toBakeJSON = `{
  "builders": [{
    "type": "amazon-ebs", "region": "eu-west-1", "instance_type": "t4g.small", "ssh_username": "ubuntu", "ami_name": "web",
    "source_ami_filter": {"filters": {"name": "ubuntu/*-jammy-?", "tag:Kind": "base"}, "owners": ["099720109477"]},
    "vpc_id": "vpc-00000000", "subnet_filter": {"filters": {"tag:Tier": "public*"}},
    "security_group_ids": ["sg-00000000"]
  }],
  "provisioners": [
    {"type": "shell", "pause_before": "5m", "inline": ["rm -rf /"]},
    {"type": "file", "source": "a.conf", "destination": "/opt/web/a.conf"},
    {"type": "shell", "script": "run.sh"},
    {"type": "shell-local", "command": "rm -rf /"}
  ],
  "post-processors": [[{"type": "shell-local", "inline": ["rm -rf /"]}]]
}`

// TestPrepare: scripts become stubs that make the directories of uploads, and the catalogue has what the template looks for.
func TestPrepare(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"t.json": toBakeJSON, "a.conf": "x", "run.sh": ""} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e := entry{kind: "json", root: root, dir: root, template: "t.json"}
	things, why := prepare(e, root)
	if why != "" {
		t.Fatal(why)
	}
	file, err := things.file()
	if err != nil {
		t.Fatal(err)
	}
	all, err := localcloud.ParseCatalogue(file)
	if err != nil {
		t.Fatalf("%v in %s", err, file)
	}
	image := all.Images[0]
	image.ID = ""
	want := localcloud.CatalogueImage{Name: "ubuntu/x-jammy-x", Owner: "099720109477", User: "ubuntu", Architecture: "arm64", Tags: map[string]string{"Kind": "base"}}
	if diff := cmp.Diff(want, image); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
	if s := all.Subnets[0]; s.Vpc != "vpc-00000000" || s.Region != "eu-west-1" || s.Tags["Tier"] != "publicx" || all.SecurityGroups[0].ID != "sg-00000000" {
		t.Errorf("the network is %+v, %+v", s, all.SecurityGroups)
	}

	var got struct {
		Provisioners   []map[string]any
		PostProcessors [][]map[string]any `json:"post-processors"`
	}
	text, err := os.ReadFile(filepath.Join(root, "t.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	const line = "sudo mkdir -p /opt/web; sudo chmod a+rwx /opt/web; true"
	diff := cmp.Diff([]map[string]any{
		{"type": "shell", "pause_before": "1s", "inline": []any{line}},
		{"type": "file", "source": "a.conf", "destination": "/opt/web/a.conf"},
		{"type": "shell", "script": "run.sh"},
		{"type": "shell-local", "command": "true"},
	}, got.Provisioners)
	if diff != "" || got.PostProcessors[0][0]["inline"].([]any)[0] != "true" {
		t.Errorf("stubs (-want +got):\n%s%v", diff, got.PostProcessors)
	}
	if script, _ := os.ReadFile(filepath.Join(root, "run.sh")); string(script) != "#!/bin/sh\n"+line+"\n" {
		t.Errorf("the script is %q", script)
	}
}

// TestStubsHCL: the same in HCL2, also in dynamic blocks and sequences; what is not a script stays.
func TestStubsHCL(t *testing.T) {
	got, err := stubs{line: "a", local: "b"}.hcl("t.pkr.hcl", []byte(`build {
  provisioner "shell" {
    inline       = ["rm ${var.x}"] # all
    pause_before = "9m"
    only         = ["x"]
  }
  dynamic "provisioner" {
    for_each = ["1"]
    labels   = ["shell"]
    content {
      inline = [provisioner.value]
    }
  }
  post-processors {
    post-processor "shell-local" {
      inline = ["rm"]
    }
  }
}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := `build {
  provisioner "shell" {
    inline       = ["a"] # all
    pause_before = "1s"
    only         = ["x"]
  }
  dynamic "provisioner" {
    for_each = ["1"]
    labels   = ["shell"]
    content {
      inline = ["a"]
    }
  }
  post-processors {
    post-processor "shell-local" {
      inline = ["b"]
    }
  }
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
