package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/localcloud"
)

// The examples that users copy are catalogues that the local cloud takes, but for the key that is cut short.
func TestCatalogueExamples(t *testing.T) {
	text, err := docs.ReadFile("docs/local-cloud.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("\n## What templates name\n"))
	for name, from := range map[string]string{"help": catalogueHelp, "documentation": string(text)} {
		begin, end := strings.Index(from, "{\n"), strings.Index(from, "\n  }\n")
		if name == "documentation" {
			end = strings.Index(from, "\n    }\n")
		}
		if begin < 0 || end < begin {
			t.Fatalf("no example in the %s", name)
		}
		const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEq+SfFfvqALEHQe0wkqLYQZDBy1KjICMMaiWMPrcRtd"
		example := strings.Replace(from[begin:end], "ssh-ed25519 AAAA…", key, 1) + "\n}"
		c, err := localcloud.ParseCatalogue([]byte(example))
		if err != nil || len(c.Images) != 1 || len(c.SecurityGroups) != 1 || len(c.Parameters) != 1 {
			t.Errorf("the example of the %s: %+v, %v", name, c, err)
		}
	}
}
