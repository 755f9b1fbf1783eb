//go:build linux

package provision_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	const dir, file = "drwxr-xr-x", "-rw-r--r-- "
	s, h := machine(t, provisiontest.Options{})
	at := home(t, s, map[string]string{
		"logs/a.log": "A", "logs/b b.log": "B", "logs/c.txt": "C", "logs/old/d.log": "D", "logs/last": "-> a.log",
		"current": "-> logs", "big": strings.Repeat("big", 1<<20), "empty/": "",
	})
	for name, test := range map[string]struct {
		source, dest string
		want         map[string]string // in a directory that holds a directory "have"
	}{
		"file":                       {"logs/a.log", "new", map[string]string{"new": file + "A"}},
		"file into a directory":      {"logs/a.log", "have", map[string]string{"have/a.log": file + "A"}},
		"file to a slash":            {"logs/b b.log", "new/", map[string]string{"new": dir, "new/b b.log": file + "B"}},
		"file with missing parents":  {"logs/a.log", "far/new", map[string]string{"far": dir, "far/new": file + "A"}},
		"big file":                   {"big", "new", map[string]string{"new": file + strings.Repeat("big", 1<<20)}},
		"link that is the source":    {"logs/last", "new", map[string]string{"new": file + "A"}},
		"contents":                   {"logs/old/", "have", map[string]string{"have/d.log": file + "D"}},
		"contents into a new one":    {"logs/old/", "new", map[string]string{"new": dir, "new/d.log": file + "D"}},
		"contents of a linked one":   {"current/", "new", map[string]string{"new": dir, "new/a.log": file + "A", "new/b b.log": file + "B", "new/c.txt": file + "C", "new/old": dir, "new/old/d.log": file + "D", "new/last": "-> a.log"}},
		"directory":                  {"logs/old", "new", map[string]string{"new": dir, "new/d.log": file + "D"}},
		"directory into a directory": {"logs/old", "have", map[string]string{"have/old": dir, "have/old/d.log": file + "D"}},
		"pattern":                    {"logs/*.log", "new", map[string]string{"new": dir, "new/a.log": file + "A", "new/b b.log": file + "B"}},
		"pattern with a directory":   {"log?/o*", "have", map[string]string{"have/old": dir, "have/old/d.log": file + "D"}},
		"empty directory":            {"empty/", "new", map[string]string{"new": dir}},
	} {
		t.Run(name, func(t *testing.T) {
			local := plant(t, map[string]string{"have/": ""})
			want := snapshot(t, local)
			for k, v := range test.want {
				want[k] = v
			}
			err := h.Download(context.Background(), provision.Fetch{Source: at + "/" + test.source, Dest: local + "/" + test.dest}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, snapshot(t, local)); diff != "" {
				t.Errorf("downloaded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDownloadProblems(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	at := home(t, s, map[string]string{"dir/a": "A", "secret": "s"})
	if err := os.Chown(at+"/secret", 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(at+"/secret", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at+"/dir/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ source, dest, says string }{
		"missing":    {"gone", "new", "gone to"},
		"no match":   {"*.log", "new", "*.log"},
		"forbidden":  {"secret", "new", "secret: permission denied"},
		"FIFO":       {"dir", "new", "dir/pipe is a FIFO"},
		"both empty": {"", "", "both are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			local := t.TempDir()
			fetch := provision.Fetch{Source: at + "/" + test.source, Dest: local + "/" + test.dest}
			if test.source == "" {
				fetch = provision.Fetch{}
			}
			err := h.Download(context.Background(), fetch, nil)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Download = %v, want %q", err, test.says)
			}
			if left, err := os.ReadDir(local); err != nil || len(left) > 0 {
				t.Errorf("left here: %v (%v)", left, err)
			}
		})
	}
}

func TestDownloadProgress(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	at := home(t, s, map[string]string{"a": "12345", "b/c": "67"})
	var last provision.Progress
	err := h.Download(context.Background(), provision.Fetch{Source: at, Dest: t.TempDir() + "/new"}, func(p provision.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	last.Path = ""
	if want := (provision.Progress{Done: 7, Total: 7, Files: 2, TotalFiles: 2}); last != want {
		t.Errorf("the last report is %+v, want %+v", last, want)
	}
}

// withoutFlags is a snapshot with permissions only: setuid, setgid and sticky bits are not downloaded.
func withoutFlags(files map[string]string) map[string]string {
	plain := map[string]string{}
	for name, text := range files {
		mode, contents, isFile := strings.Cut(text, " ")
		if mode == "->" || len(mode) < 9 {
			plain[name] = text
			continue
		}
		plain[name] = mode[len(mode)-9:] + contents
		if !isFile {
			plain[name] = "d" + plain[name]
		}
	}
	return plain
}
