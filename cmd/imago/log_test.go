package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogPath: PACKER_LOG_PATH is where the log goes, without secrets, once PACKER_LOG asks for one.
func TestLogPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	t.Setenv("PACKER_LOG_PATH", path)
	var messages strings.Builder
	quiet := newSession(nil, io.Discard, &messages)
	quiet.log().Info("nobody asked")
	t.Setenv("PACKER_LOG", "1")
	s := newSession(nil, io.Discard, &messages)
	s.secrets.Hide("hunter2")
	s.log().Info("first", "password", "hunter2")
	s.log().With("build", "web").Info("second")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"msg=first password=<sensitive>", "msg=second build=web"} {
		if lines := strings.Split(string(text), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[i], want) {
			t.Errorf("the log is %q, without %q", text, want)
		}
	}
	if messages.String() != "" {
		t.Errorf("stderr has %q", messages.String())
	}

	t.Setenv("PACKER_LOG_PATH", filepath.Join(path, "none"))
	s = newSession(nil, io.Discard, &messages)
	s.log().Info("here")
	if got := messages.String(); !strings.HasPrefix(got, "imago: warning: PACKER_LOG_PATH: open ") || !strings.Contains(got, "msg=here\n") {
		t.Errorf("stderr has %q", got)
	}
}
