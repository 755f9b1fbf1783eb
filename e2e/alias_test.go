package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPacker: a CI job that calls packer runs unchanged, with Debian's packer and with imago in its place. It bakes the
// primal manifest on the same cloud, through custom_endpoint_ec2, and what it reads from the output is the same.
func TestPacker(t *testing.T) {
	leavesNothing(t)
	dir := project(t)
	pointed(t, filepath.Join(dir, "deploy/templates/primal.json"))
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte(`{"builders": [{}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	// That it bakes whole is shown elsewhere (TestPrimalThenCarnivore, make bench); here the machine's script need not do anything.
	if err := os.WriteFile(filepath.Join(dir, "deploy/templates/primal"), []byte("#!/bin/sh\nls /tmp/mailtube\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	theirs, ours := job(t, dir, "/usr/bin/packer"), job(t, dir, cloud.bin)
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("what the job learns (-packer +imago):\n%s", diff)
	}
}

// pointed makes the primal manifest one for this cloud, with post-processors.
func pointed(t *testing.T, path string) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(body), `"type": "amazon-ebs",`,
		`"type": "amazon-ebs", "custom_endpoint_ec2": "{{user `+"`ENDPOINT`"+`}}", "skip_region_validation": true,`, 1)
	text = strings.Replace(text, `"variables": {`, `"variables": {"ENDPOINT": "`+cloud.export(t, "AWS_ENDPOINT_URL")+`",`, 1)
	text = strings.TrimSuffix(strings.TrimSpace(text), "}") + `, "post-processors": [
		{"type": "manifest", "output": "manifest.json", "custom_data": {"branch": "main"}},
		{"type": "shell-local", "inline": ["echo \"$PACKER_BUILD_NAME $PACKER_BUILDER_TYPE ${PACKER_RUN_UUID:+run}\" >seen.txt"]}
	]}`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// job runs the CI job in a copy of dir, with a program as packer, and returns what it has learnt.
func job(t *testing.T, dir, packer string) map[string]string {
	t.Helper()
	ci, err := filepath.Abs("ci.sh")
	if err != nil {
		t.Fatal(err)
	}
	work, bin := t.TempDir(), t.TempDir()
	if err := os.CopyFS(work, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(packer, filepath.Join(bin, "packer")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	env, err := exec.LookPath("env")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"AWS_POLL_DELAY_SECONDS=1", "AWS_MAX_ATTEMPTS=600", "PATH=" + bin + ":" + os.Getenv("PATH"), "bash", ci, "deploy/templates/primal.json"}, primalVars()...)
	r := cloud.command(ctx, work, env, args...)
	learnt := map[string]string{}
	for _, name := range []string{"inspect.txt", "fixed.txt", "artifact.txt", "manifest.txt", "said.txt", "seen.txt", "ami.txt"} {
		text, err := os.ReadFile(filepath.Join(work, name))
		if r.code != 0 || err != nil {
			t.Fatalf("with %s: exit %d, %v\n%s%s", packer, r.code, err, r.stdout, r.stderr)
		}
		learnt[name] = string(text)
	}
	removeImage(t, strings.TrimSpace(learnt["ami.txt"]))
	delete(learnt, "ami.txt")
	return learnt
}
