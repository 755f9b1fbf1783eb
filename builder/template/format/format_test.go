package format_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/template/format"
)

var corpus = flag.String("corpus", "", "also format every HCL2 file below this folder, and compare with packer fmt where packer is installed")

const untidy = `source "amazon-ebs" "web" {
  region="us-east-1"
ami_name    = "web-${ var.version }"
tags = {
Name="web"
    Team = "a"
}
  # stays
    user_data = <<EOF
  as   it = is
EOF
}
`

const tidy = `source "amazon-ebs" "web" {
  region   = "us-east-1"
  ami_name = "web-${var.version}"
  tags = {
    Name = "web"
    Team = "a"
  }
  # stays
  user_data = <<EOF
  as   it = is
EOF
}
`

func TestSource(t *testing.T) {
	got, err := format.Source("a.pkr.hcl", []byte(untidy))
	if err != nil || string(got) != tidy {
		t.Errorf("got %v:\n%s", err, got)
	}
	again, err := format.Source("a.pkr.hcl", got)
	if err != nil || string(again) != tidy {
		t.Errorf("formatted again %v:\n%s", err, again)
	}
}

func TestSourceSaysWhereItIsWrong(t *testing.T) {
	_, err := format.Source("a.pkr.hcl", []byte("source \"x\" \"y\" {\n  a = \n}\n"))
	want := "a.pkr.hcl:2:7: Invalid expression: Expected the start of an expression, but found an invalid expression token."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestSourceIsBounded: what would take all memory to read is refused.
func TestSourceIsBounded(t *testing.T) {
	for text, want := range map[string]string{
		"a = " + strings.Repeat("(", 100_000): "x: the file is nested deeper than 500 levels",
		strings.Repeat("#", 2<<20):            "x: the file has 2097152 bytes, and may have 1048576",
	} {
		if _, err := format.Source("x", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestDiff(t *testing.T) {
	number := func(n int, change map[int]string) string {
		var b strings.Builder
		for i := 1; i <= n; i++ {
			line, ok := change[i]
			if !ok {
				line = strings.Repeat("l", i) + "\n"
			}
			b.WriteString(line)
		}
		return b.String()
	}
	for _, c := range []struct{ name, before, after string }{
		{"one line", "a\n", "b\n"},
		{"from nothing", "", "a\nb\n"},
		{"to nothing", "a\nb\n", ""},
		{"no line end", "a\nb", "a\nb\n"},
		{"no line end at all", "a", "b"},
		{"two hunks", number(30, nil), number(30, map[int]string{3: "x\n", 25: "y\n"})},
		{"hunks that touch", number(30, nil), number(30, map[int]string{10: "x\n", 17: "y\n"})},
		{"hunks that do not", number(30, nil), number(30, map[int]string{10: "x\n", 18: "y\n"})},
		{"lines that go and come", number(20, nil), number(20, map[int]string{1: "", 9: "x\ny\n", 20: ""})},
		{"a template", untidy, tidy},
	} {
		if got, want := format.Diff("f", []byte(c.before), []byte(c.after)), diff(t, c.before, c.after); got != want {
			t.Errorf("%s: got\n%s\nand diff -u says\n%s", c.name, got, want)
		}
	}
	if got := format.Diff("f", []byte(tidy), []byte(tidy)); got != "" {
		t.Errorf("the same: got %q", got)
	}
}

// diff is what diff -u says.
func diff(t *testing.T, before, after string) string {
	dir := t.TempDir()
	for name, text := range map[string]string{"old": before, "new": after} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("diff", "-u", "--label", "old/f", "--label", "new/f", "old", "new")
	cmd.Dir = dir
	out, _ := cmd.Output() // 1: they differ
	return string(out)
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.pkr.hcl", "b.pkrvars.hcl", "c.auto.pkrvars.hcl", "d.hcl", "imago.hcl", "e.pkr.json", ".f.pkr.hcl", "sub/g.pkr.hcl", ".git/h.pkr.hcl"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path      string
		recursive bool
		want      []string
	}{
		{"", false, []string{"a.pkr.hcl", "b.pkrvars.hcl", "c.auto.pkrvars.hcl", "imago.hcl"}},
		{"", true, []string{"a.pkr.hcl", "b.pkrvars.hcl", "c.auto.pkrvars.hcl", "imago.hcl", "sub/g.pkr.hcl"}},
		{"d.hcl", false, []string{"d.hcl"}},
		{".git", true, []string{".git/h.pkr.hcl"}},
	} {
		got, err := format.Files(filepath.Join(dir, c.path), c.recursive)
		for i := range got {
			got[i], _ = filepath.Rel(dir, got[i])
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q %v: got %q %v, want %q", c.path, c.recursive, got, err, c.want)
		}
	}
	for _, path := range []string{"e.pkr.json", "none"} {
		if got, err := format.Files(filepath.Join(dir, path), false); err == nil {
			t.Errorf("%s: got %q and no error", path, got)
		}
	}
}

// TestCorpus formats real templates: always the same the second time, and what packer fmt makes of them.
func TestCorpus(t *testing.T) {
	if *corpus == "" {
		t.Skip("no -corpus")
	}
	packer, _ := exec.LookPath("packer")
	files, err := format.Files(*corpus, true)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		once, err := format.Source(path, src)
		if err != nil {
			t.Log(err)
			continue
		}
		if twice, err := format.Source(path, once); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s: another text the second time (%v)", path, err)
		}
		if packer == "" {
			continue
		}
		file := filepath.Join(t.TempDir(), "x.pkr.hcl")
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(packer, "fmt", file).CombinedOutput()
		theirs, _ := os.ReadFile(file)
		if err != nil {
			t.Logf("packer fmt %s: %v\n%s", path, err, out)
		} else if bytes.Equal(theirs, once) {
			same++
		} else {
			t.Logf("%s: packer fmt says\n%s", path, format.Diff(path, theirs, once))
		}
	}
	t.Logf("%d files, %d as packer fmt has them", len(files), same)
}
