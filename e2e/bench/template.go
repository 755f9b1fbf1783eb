package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
)

// inbox is where uploads go: in memory, so that no disk is measured.
const inbox = "/dev/shm/in"

type object = map[string]any

// template is one that imago and Packer both build, as it is.
type template struct {
	api      string // endpoint
	sshPort  int    // of a relay; 0 for a machine reached directly
	keyFile  string
	provides []object // the provisioners
}

// write writes the template below dir and returns its path.
func (t template) write(dir string) (string, error) {
	source := object{
		"type": "amazon-ebs", "region": "us-east-1", "custom_endpoint_ec2": t.api,
		"source_ami": baseID, "instance_type": "t3.micro", "ami_name": "bench-{{timestamp}}-{{uuid}}",
		"ssh_username": baseUser, "ssh_keypair_name": "bench", "ssh_private_key_file": t.keyFile,
		// What Packer alone needs for an endpoint that is not Amazon's.
		"skip_region_validation": true, "skip_metadata_api_check": true,
	}
	if t.sshPort != 0 {
		source["ssh_host"], source["ssh_port"] = "127.0.0.1", t.sshPort
	}
	body := object{"builders": []object{source}}
	if len(t.provides) > 0 {
		body["provisioners"] = t.provides
	}
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "template.json")
	return path, os.WriteFile(path, text, 0o644)
}

func shell(lines ...string) object { return object{"type": "shell", "inline": lines} }

// booted waits until the machine has nothing of its own left to do: imago is there
// seconds earlier than Packer, and an upload is not to be measured beside a boot.
const booted = "systemctl is-system-running --wait > /dev/null || true"

// uploading makes the directory, uploads and compares. Packer wants the directory to be there.
func uploading(t tree) []object {
	return []object{
		shell(booted, "mkdir "+inbox),
		{"type": "file", "source": t.path, "destination": t.dest},
		shell("cd "+inbox, `test "$(`+checkScript+`)" = `+t.sum),
	}
}

// trivial is count scripts that do nothing, and one more whose beginning is the end of the others.
func trivial(count int) []object {
	var all []object
	for range count + 1 {
		all = append(all, shell("true"))
	}
	return all
}

// marks are the lines by which a row's part of a bake is found in the output of a builder.
func marks(begin, end string, beginN, endN int) mark {
	return mark{begin: regexp.MustCompile(begin), end: regexp.MustCompile(end), beginN: beginN, endN: endN}
}
