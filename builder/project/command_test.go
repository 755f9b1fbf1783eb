package project_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommand: the command runs where it says, with what it says, and must leave its output.
func TestCommand(t *testing.T) {
	dir := write(t, "t.json", "{}", "web/src/a", "one", "web/src/b", "two", "web/other", "", "imago.hcl", `application = "shop"
environment "staging" {}
image "web" {
  template = "t.json"
  build {
    command = "cat src/* > out && echo $IMAGO_APPLICATION $IMAGO_ENVIRONMENT $IMAGO_IMAGE $MODE"
    dir     = "web"
    env     = { MODE = "fast" }
    inputs  = ["src/**"]
    output  = "web/out"
  }
}
image "bad" {
  template = "t.json"
  build {
    command = "false\ntouch web/bad"
    output  = "web/bad"
  }
}
image "idle" {
  template = "t.json"
  build {
    command = "true"
    output  = "web/no"
  }
}
`)
	p, web := image(t, dir, "web", "")
	digest := func() string {
		t.Helper()
		d, err := web.Command.Digest(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	change := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := digest(); d != "" {
		t.Errorf("the digest is %q before there is an output", d)
	}
	var out bytes.Buffer
	if err := web.Command.Run(t.Context(), p, "web", &out, &out); err != nil || out.String() != "shop staging web fast\n" {
		t.Errorf("%v, %q", err, out.String())
	}
	first := digest()
	change("web/other", "x")
	if digest() != first {
		t.Error("what is no input counts")
	}
	change("web/src/a", "1")
	second := digest()
	change("web/src/a", "one")
	change("web/out", "spoilt")
	if third := digest(); first == "" || second == first || third == first || third == second {
		t.Errorf("the digests are %s, %s and %s", first, second, third)
	}

	for name, want := range map[string]string{
		"bad":  "exited with status 1",
		"idle": "true: it has ended well, but its output " + filepath.Join(dir, "web/no") + " is not there",
	} {
		p, i := image(t, dir, name, "")
		if err := i.Command.Run(t.Context(), p, name, &out, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if d, err := i.Command.Digest(t.Context(), p); d != "" || err != nil {
			t.Errorf("%s: a digest without inputs: %q, %v", name, d, err)
		}
	}
}
