package main

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

var update = flag.Bool("update", false, "write what is generated anew")

// TestOptionPage: the page of imago help options is what the parser's table says.
func TestOptionPage(t *testing.T) {
	const page = "docs/options.md"
	want := template.OptionDoc()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the table says (go test ./cmd/imago -run TestOptionPage -update writes it anew):\n%s", page, diff)
	}
}
