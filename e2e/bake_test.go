package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTrivialBake: stdout is the image's id and nothing else, and nothing but
// the image is there afterwards.
func TestTrivialBake(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo hello"]}`))
	r := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
	if r.code != 0 || !regexp.MustCompile(`^ami-[0-9a-f]{17}\n$`).MatchString(r.stdout) {
		t.Fatalf("exit %d, stdout %q\n%s", r.code, r.stdout, r.stderr)
	}
	removeImage(t, strings.TrimSpace(r.stdout))
}

// TestStepsInOrder: uploads and scripts run in the template's order, and what
// they made is in the image.
func TestStepsInOrder(t *testing.T) {
	leavesNothing(t)
	dir := write(t,
		"t.json", template(admin, `
			{"type": "shell", "inline": ["mkdir /tmp/in"]},
			{"type": "file", "source": "tree", "destination": "/tmp/in"},
			{"type": "shell", "environment_vars": ["A=it's $HOME", "B=two"], "inline": ["printf '%s|%s\n' \"$A\" \"$B\" > ~/made", "cat /tmp/in/tree/a/b >> ~/made"]},
			{"type": "shell-local", "inline": ["echo on this side > local.txt"]},
			{"type": "file", "direction": "download", "source": "/home/admin/made", "destination": "made"}`),
		"tree/a/b", "contents\n")
	removeImage(t, imago(t, dir, "build", "--local", "t.json"))
	for file, want := range map[string]string{"made": "it's $HOME|two\ncontents\n", "local.txt": "on this side\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s = %q, %v; want %q", file, got, err, want)
		}
	}
}

// TestInterrupted: Ctrl-C in the middle of a script cleans up and exits 130.
func TestInterrupted(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["sleep 300"]}`))
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	r := cloud.exec(ctx, dir, "build", "--local", "t.json")
	if r.code != 130 || r.stdout != "" {
		t.Errorf("exit %d, want 130; stdout %q\n%s", r.code, r.stdout, r.stderr)
	}
}

// TestJSONResult: --json puts one object on stdout.
func TestJSONResult(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin+`, "tags": {"Base": "{{ .SourceAMI }}"}`, ``))
	var got struct {
		Images []struct{ ID, Region, Name string }
	}
	out := imago(t, dir, "build", "--local", "--json", "t.json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(got.Images) != 1 || got.Images[0].Region != "us-east-1" || !strings.HasPrefix(got.Images[0].Name, "e2e ") {
		t.Fatalf("got %s", out)
	}
	removeImage(t, got.Images[0].ID)
}
