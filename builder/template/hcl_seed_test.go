package template_test

import (
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// TestSeedHCL: with the same seed uuidv4 says the same at each place and at each evaluation, also at one that comes
// when the machine is there; at another place, in another build or with another seed it says something else.
func TestSeedHCL(t *testing.T) {
	text := `
locals {
  id = uuidv4()
}
source "amazon-ebs" "a" {
  region        = "us-east-1"
  source_ami    = "ami-1"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "${local.id} ${uuidv4()} ${uuidv4()}"
}
source "amazon-ebs" "b" {
  region        = "us-east-1"
  source_ami    = "ami-1"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "${local.id}"
}
build {
  sources = ["source.amazon-ebs.a", "source.amazon-ebs.b"]
  provisioner "breakpoint" {
    note = "${build.ID} ${uuidv4()}"
  }
  dynamic "provisioner" {
    for_each = ["x", "y"]
    labels   = ["breakpoint"]
    content {
      note = uuidv4()
    }
  }
}
`
	said := func(seed string) (all []string) {
		got, err := parseHCL(t, map[string]string{"t.pkr.hcl": text}, func(o *template.Options) { o.Seed = seed })
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range got.Builds {
			all = append(all, strings.Fields(b.Config.Output.Name)...)
			for i, s := range b.Config.Steps {
				p := s.(builder.Pause)
				if i == 0 {
					for range 2 { // the second time says the same
						late, err := p.Late(facts())
						if err != nil {
							t.Fatal(err)
						}
						if p.Note = strings.Fields(late.Note)[1]; len(all) > 0 {
							all = append(all, p.Note)
						}
					}
					continue
				}
				all = append(all, p.Note)
			}
		}
		return all
	}
	first := said("one")
	distinct := map[string]bool{}
	for _, id := range first {
		distinct[id] = true
	}
	// Of a: the local, two in the name, one late and one that is late again, two dynamic. Of b: the local again, and as many.
	if len(first) != 12 || len(distinct) != 9 {
		t.Errorf("%d UUIDs, %d different ones; want 12 and 9: %q", len(first), len(distinct), first)
	}
	if again := said("one"); strings.Join(again, " ") != strings.Join(first, " ") {
		t.Errorf("%q, and with the same seed %q", first, again)
	}
	if other := said("two"); other[0] == first[0] || other[3] == first[3] {
		t.Errorf("the same with another seed: %q", other)
	}
	if a, b := said(""), said(""); a[0] == b[0] {
		t.Errorf("the same without a seed: %q", a)
	}
}
