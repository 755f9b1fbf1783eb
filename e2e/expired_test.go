package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExpiredCredentials: the credentials expire in the middle of a bake, somebody
// has renewed them in the file they came from, and the bake goes on.
func TestExpiredCredentials(t *testing.T) {
	leavesNothing(t)
	t.Cleanup(func() { cloud.exec(after(t), "", "local", "faults", "off") })
	file := func(token string) string {
		return fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n",
			cloud.export(t, "AWS_ACCESS_KEY_ID"), cloud.export(t, "AWS_SECRET_ACCESS_KEY"), token)
	}
	dir := write(t,
		"credentials", file("old"), "renewed", file("new"),
		"expired.json", `{"rules": [{"action": "*", "token": "old", "error": "RequestExpired"}]}`,
		"t.json", template(admin+fmt.Sprintf(`, "custom_endpoint_ec2": %q`, cloud.export(t, "AWS_ENDPOINT_URL")),
			fmt.Sprintf(`{"type": "shell-local", "inline": ["cp renewed credentials", "%s local faults expired.json"]}`, cloud.bin)))
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), cloud.bin, "build", "t.json")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	for _, kv := range cloud.environ() {
		if !strings.HasPrefix(kv, "AWS_ACCESS_KEY_ID=") && !strings.HasPrefix(kv, "AWS_SECRET_ACCESS_KEY=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "credentials"))
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	removeImage(t, strings.TrimSpace(stdout.String()))
	if shown := imago(t, "", "local", "faults", "show"); !strings.Contains(shown, "old") {
		t.Errorf("the rule struck nothing:\n%s", shown)
	}
}
