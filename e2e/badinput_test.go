package e2e

import (
	"fmt"
	"regexp"
	"testing"
)

// template is a small manifest: the builder's options beyond the usual ones,
// and the provisioners, both as JSON.
func template(options, provisioners string) string {
	return fmt.Sprintf(`{
  "builders": [{
    "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro",
    "ami_name": "e2e {{timestamp}} {{uuid}}"%s
  }],
  "provisioners": [%s]
}
`, options, provisioners)
}

const admin = `, "source_ami": "` + baseID + `", "ssh_username": "admin"`

// TestBadInput: whatever is wrong, imago says what and where in one message,
// exits with the right code and leaves nothing.
func TestBadInput(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		args  []string
		code  int
		want  string // a regular expression over stderr
	}{
		{
			name:  "missing script",
			files: []string{"t.json", template(admin, `{"type": "shell", "script": "no/such.sh"}`)},
			code:  2, want: `t\.json:6:.*no/such\.sh`,
		},
		{
			name:  "missing upload source",
			files: []string{"t.json", template(admin, `{"type": "file", "source": "gone", "destination": "/tmp/gone"}`)},
			code:  2, want: `t\.json:6:.*gone`,
		},
		{
			name:  "unknown key",
			files: []string{"t.json", template(admin+`, "instanse_type": "x"`, ``)},
			code:  2, want: `t\.json:4:.*instanse_type.*instance_type`,
		},
		{
			name:  "unknown function",
			files: []string{"t.json", template(admin+`, "ami_description": "{{frobnicate}}"`, ``)},
			code:  2, want: `t\.json:4:.*frobnicate`,
		},
		{
			name:  "required variable not set",
			files: []string{"t.json", `{"variables": {"A": null, "B": null}, "builders": []}`},
			code:  2, want: `(?s)\bA\b.*\bB\b`,
		},
		{
			name:  "no such image",
			files: []string{"t.json", template(`, "source_ami": "ami-00000000000000bad", "ssh_username": "admin"`, ``)},
			code:  1, want: `ami-00000000000000bad`,
		},
		{
			name:  "wrong user",
			files: []string{"t.json", template(`, "source_ami": "`+baseID+`", "ssh_username": "nobody-here", "ssh_timeout": "20s"`, ``)},
			code:  1, want: `nobody-here`,
		},
		{
			name:  "script exits 7",
			files: []string{"t.json", template(admin, `{"type": "shell", "script": "seven.sh"}`), "seven.sh", "#!/bin/bash\necho about to go\nexit 7\n"},
			code:  1, want: `seven\.sh exited with status 7`,
		},
		{
			name: "disk fills up",
			files: []string{"t.json", template(admin, `
				{"type": "shell", "inline": ["sudo mount -t tmpfs -o size=1m,mode=1777 tmpfs /mnt"]},
				{"type": "file", "source": "big", "destination": "/mnt/big"}`), "big", string(make([]byte, 4<<20))},
			code: 1, want: `t\.json:8: upload big to /mnt/big: [^\n]*[Nn]o space left`,
		},
		{
			name:  "no SSH server",
			files: []string{"t.json", template(admin+`, "ssh_timeout": "8s", "user_data": "#cloud-config\nbootcmd: [[systemctl, mask, --now, ssh.service, ssh.socket]]\n"`, ``)},
			code:  1, want: `(?s)SSH.*refused`,
		},
		{
			name:  "flag after the template",
			files: []string{"t.json", template(admin, ``)},
			args:  []string{"build", "--local", "t.json", "--json"},
			code:  2, want: `--json`,
		},
	}
	leavesNothing(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, tt.files...)
			args := tt.args
			if args == nil {
				args = []string{"build", "--local", "t.json"}
			}
			r := cloud.exec(t.Context(), dir, args...)
			if r.code != tt.code || r.stdout != "" || !regexp.MustCompile(tt.want).MatchString(r.stderr) {
				t.Errorf("exit %d, want %d; stdout %q; stderr, want %s:\n%s", r.code, tt.code, r.stdout, tt.want, r.stderr)
			}
		})
	}
}
