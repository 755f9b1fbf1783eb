package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The secrets of these tests: one that needs no quotes, and one that does.
const (
	token  = "correct-horse-battery-staple-9"
	phrase = "it's \"quoted\" & {odd} $HOME/é"
)

// pieces are what would give a secret away: each 8 characters of it, and each 12
// of how it looks in base64.
func pieces() (all []string) {
	for _, secret := range []string{token, phrase} {
		for i := 0; i+8 <= len(secret); i++ {
			all = append(all, secret[i:i+8])
		}
		for _, before := range []string{"", "x", "xx"} {
			text := base64.RawStdEncoding.EncodeToString([]byte(before + secret))
			for i := len(before) * 2; i+12 <= len(text)-2; i++ {
				all = append(all, text[i:i+12])
			}
		}
	}
	return all
}

// given returns the first piece of a secret that a text gives away, or nothing.
func given(text string, pieces []string) string {
	for _, p := range pieces {
		if strings.Contains(text, p) {
			return p
		}
	}
	return ""
}

// loud is a template that shows its secrets in all ways that a script may have.
const loud = `{
  "variables": {"TOKEN": null, "PHRASE": null}, "sensitive-variables": ["TOKEN", "PHRASE"],
  "builders": [{
    "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "source_ami": "` + baseID + `", "ssh_username": "admin",
    "ami_name": "e2e {{timestamp}} {{uuid}}"
  }],
  "provisioners": [
    {"type": "shell", "environment_vars": ["TOKEN={{user ` + "`TOKEN`" + `}}", "PHRASE={{user ` + "`PHRASE`" + `}}"], "inline": [
      "for s in \"$TOKEN\" \"$PHRASE\"; do echo \"$s\"; echo \"$s\" >&2",
      "printf 'xx%s' \"$s\" | base64 -w 20; printf %s \"$s\" | base64; printf 'x%s' \"$s\" | base64 -w 8; printf %s \"$s\" | fold -b -w 8; done",
      "set -x; : \"$PHRASE\"; : {{user ` + "`TOKEN`" + `}}; set +x",
      "printf correct-horse; sleep 0.1; echo -battery-staple-9", "export -p | grep PHRASE", "bash -c 'printf \"%q\\n\" \"$PHRASE\"; declare -p PHRASE'", "sleep 1"]},
    {"type": "shell", "environment_vars": ["TOKEN={{user ` + "`TOKEN`" + `}}"], "execute_command": "{{.Vars}} sudo -E sh {{.Path}}", "inline": ["echo $TOKEN", "sleep 0.5"]},
    {"type": "shell", "environment_vars": ["TOKEN={{user ` + "`TOKEN`" + `}}"], "use_env_var_file": true, "execute_command": "sudo sh -c '. {{.EnvVarFile}}; {{.Path}}'", "inline": ["echo $TOKEN", "sleep 0.5"]},
    {"type": "shell-local", "environment_vars": ["PHRASE={{user ` + "`PHRASE`" + `}}"], "execute_command": ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"], "inline": ["echo \"$PHRASE\"", "sleep 0.5"]},
    {"type": "shell-local", "environment_vars": ["PHRASE={{user ` + "`PHRASE`" + `}}"], "execute_command": "{{.Vars}} {{.Script}}; :", "inline": ["echo \"$PHRASE\"", "sleep 0.5"]},
    {"type": "file", "content": "{{user ` + "`TOKEN`" + `}} {{user ` + "`PHRASE`" + `}}", "destination": "/dev/shm/secret"}
  ],
  "post-processors": [
    {"type": "manifest", "output": "manifest.json", "custom_data": {"token": "{{user ` + "`TOKEN`" + `}}", "phrase": "{{user ` + "`PHRASE`" + `}}"}},
    {"type": "shell-local", "environment_vars": ["TOKEN={{user ` + "`TOKEN`" + `}}"], "inline": ["echo $TOKEN", "sleep 0.5"]}
  ]
}
`

// TestSecretsStayOut: what is sensitive is in nothing that imago writes, in no
// argument of a process on either side, and not in the image.
func TestSecretsStayOut(t *testing.T) {
	leavesNothing(t)
	began := time.Now()
	values, err := json.Marshal(map[string]string{"TOKEN": token, "PHRASE": phrase})
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, "t.json", loud, "../vars.json", string(values))
	pieces := pieces()
	stop := watchArguments(t, pieces)
	for _, how := range []string{"--json", "-machine-readable", "--timestamp-ui", "--color"} {
		args := []string{"build", "--local", how, "--timings", "timings.json", "--report", "report.html", "-var-file", "../vars.json", "t.json"}
		var r result
		if how == "--color" { // on a terminal, with the live display
			r = cloud.command(t.Context(), dir, "script", "-qefc", cloud.bin+" "+strings.Join(args, " "), "/dev/null")
		} else {
			r = cloud.command(t.Context(), dir, "env", append([]string{"IMAGO_LOG=1", cloud.bin}, args...)...)
		}
		if r.code != 0 {
			t.Fatalf("%s: exit %d\n%s", how, r.code, r.stderr)
		}
		for name, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
			if p := given(text, pieces); p != "" {
				t.Errorf("%s: %s has %q:\n%s", how, name, p, text)
			}
		}
		for _, id := range imageIDs(r.stdout) {
			removeImage(t, id)
		}
		if n := strings.Count(r.stderr+r.stdout, "<sensitive>"); n < 30 {
			t.Errorf("%s: only %d times <sensitive>", how, n)
		}
	}
	stop()
	os.Remove(filepath.Join(dir, "t.json")) // in which a piece of one is written out
	searchFiles(t, dir, began, pieces)
	searchFiles(t, cloud.state, began, pieces)
}

// imageIDs are the ids in what imago prints.
func imageIDs(text string) (ids []string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune("ami-0123456789abcdef", r) }) {
		if strings.HasPrefix(word, "ami-") && word != baseID && len(word) == len("ami-0123456789abcdef0") && !strings.Contains(strings.Join(ids, " "), word) {
			ids = append(ids, word)
		}
	}
	return ids
}

// watchArguments looks at the command lines of all processes, on the machines
// too, until the function it returns is called.
func watchArguments(t *testing.T, pieces []string) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	var watching sync.WaitGroup
	seen := 0
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond): // the scripts' programs stay for half a second and more
			}
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, f := range files {
				line, _ := os.ReadFile(f)
				if strings.Contains(string(line), "sleep\x00") {
					seen++
				}
				if p := given(string(line), pieces); p != "" {
					t.Errorf("%q is in the arguments of a process: %q", p, line)
				}
			}
		}
	})
	return func() {
		close(done)
		watching.Wait()
		if seen < 10 {
			t.Errorf("the scripts' own processes were seen %d times", seen)
		}
	}
}

// searchFiles looks for secrets in the files below dir that are newer than began.
func searchFiles(t *testing.T, dir string, began time.Time, pieces []string) {
	t.Helper()
	looked := 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err != nil || info.ModTime().Before(began) || info.Size() > 64<<20 {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		looked++
		if p := given(string(text), pieces); p != "" {
			t.Errorf("%s has %q", path, p)
		}
		return nil
	})
	if looked == 0 {
		t.Errorf("there is no new file in %s", dir)
	}
}
