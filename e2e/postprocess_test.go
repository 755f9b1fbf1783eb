package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPostProcessors: one that does not succeed costs neither the image nor what other lists do; what artifice hands on
// is summed up; and amazon-ami-management takes the image of the build before away, and leaves the new one.
func TestPostProcessors(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", strings.Replace(template(admin+`, "tags": {"Amazon_AMI_Management_Identifier": "e2e post"}`,
		`{"type": "shell-local", "inline": ["echo ${PACKER_RUN_UUID:?} >run.txt"]}`), `"builders"`, `"variables": {"end": "false"},
  "post-processors": [
    [{"type": "shell-local", "inline": ["{{user `+"`end`"+`}}"]}, {"type": "manifest", "output": "never.json"}],
    "manifest",
    [{"type": "artifice", "files": ["run.t*"]}, {"type": "checksum", "checksum_types": "sha256", "output": "sums"}, {"type": "manifest", "output": "files.json"}],
    {"type": "amazon-ami-management", "identifier": "e2e post", "keep_releases": 1}
  ],
  "builders"`, 1))
	first := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
	one := strings.TrimSpace(first.stdout)
	if first.code != 1 || !strings.HasPrefix(one, "ami-") || !strings.Contains(first.stderr, "post-processor shell-local: ") || !strings.Contains(first.stderr, "the image "+one+" stays") {
		t.Fatalf("exit %d, %q\n%s", first.code, first.stdout, first.stderr)
	}
	api := client(t)
	if !exists(t, api, one) {
		t.Fatal("the image has gone")
	}
	if _, err := os.Stat(filepath.Join(dir, "never.json")); err == nil {
		t.Error("the list went on after its first had not succeeded")
	}
	for name, want := range map[string]string{"packer-manifest.json": `"artifact_id": "us-east-1:` + one + `"`, "files.json": `"name": "sums"`, "sums": "\trun.txt\n"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, without %s:\n%s", name, err, want, text)
		}
	}

	second := cloud.exec(t.Context(), dir, "build", "--local", "-var", "end=true", "t.json")
	two := strings.TrimSpace(second.stdout)
	if second.code != 0 || !strings.Contains(second.stderr, "took away "+one) {
		t.Errorf("exit %d\n%s", second.code, second.stderr)
	}
	removeImage(t, two)
	if exists(t, api, one) || !exists(t, api, two) {
		t.Errorf("of %s and %s the wrong one is there", one, two)
	}
}
