package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/builder/template"
)

// plans are one of each kind.
func plans() []planned {
	made := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	one := func(name string) planned {
		return planned{
			build: template.Build{Name: name, Type: "amazon-ebs"},
			plan: builder.Plan{
				Config:      builder.Config{Region: "eu-west-1", Output: builder.Output{Name: "web 2"}},
				Source:      builder.SourceImage{ID: "ami-1", Name: "debian"},
				Fingerprint: "0123",
				Parts: []builder.Part{
					{Title: "source image ami-1", Digest: "00112233445566778899"},
					{Title: "step 1: run a.sh", Digest: "99887766554433221100", Inputs: []builder.Input{{Name: "script a.sh", Digest: "aa"}}},
				},
			},
		}
	}
	reuse, bake, never := one("reuse"), one("bake"), one("amazon-ebs")
	reuse.plan.Reuse = &builder.Reuse{ID: "ami-2", Name: "web 1", Created: made, Copies: map[string]string{"us-west-2": "ami-3"}, Missing: []string{"us-east-2"}}
	bake.since = &builder.Since{ID: "ami-2", Name: "web 1", Created: made, Changes: []string{"step 1: run a.sh: changed hunter2"}, Rough: true}
	never.plan.Fingerprint, never.plan.Unknown = "", []string{"t.json:3: breakpoint: somebody wants to look at the machine"}
	above := planned{build: template.Build{Name: "above", Type: "amazon-ebs"}, below: "bake", notes: []string{"make would be run first"}}
	above.plan.Config.Region = "eu-west-1"
	return []planned{reuse, bake, never, above}
}

func TestShowPlans(t *testing.T) {
	var out bytes.Buffer
	s := newSession(nil, &out, &bytes.Buffer{})
	s.secrets.Hide("hunter2")
	if err := s.showPlans(plans()); err != nil {
		t.Fatal(err)
	}
	parts := "  001122334455  source image ami-1 (debian)\n  998877665544  step 1: run a.sh\n"
	want := "reuse (amazon-ebs) in eu-west-1\n" + parts + `  fingerprint: 0123
reuse ami-2 (web 1, made 2026-11-27 12:00 UTC): no bake
  its copy in us-west-2: ami-3
  to be copied to us-east-2

bake (amazon-ebs) in eu-west-1
` + parts + `  fingerprint: 0123
bake: there is no image of this fingerprint
since ami-2 (web 1, made 2026-11-27 12:00 UTC):
  step 1: run a.sh: changed ` + redact.Hidden + `
  (it was not made on this computer, or long ago: which file or variable is not known)

amazon-ebs in eu-west-1
` + parts + `  fingerprint: none
bake: t.json:3: breakpoint: somebody wants to look at the machine

above (amazon-ebs) in eu-west-1
  make would be run first
bake: the image that it is made from, bake, is baked first
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestShowPlansJSON(t *testing.T) {
	var out bytes.Buffer
	s := newSession(nil, &out, &bytes.Buffer{})
	s.secrets.Hide("hunter2")
	if err := s.showPlansJSON(plans()[:2]); err != nil {
		t.Fatal(err)
	}
	head := func(name string) string {
		return `    {
      "build": "` + name + `",
      "type": "amazon-ebs",
      "region": "eu-west-1",
      "name": "web 2",
      "source_id": "ami-1",
      "parts": [
        {
          "title": "source image ami-1",
          "digest": "00112233445566778899"
        },
        {
          "title": "step 1: run a.sh",
          "digest": "99887766554433221100",
          "inputs": [
            {
              "name": "script a.sh",
              "digest": "aa"
            }
          ]
        }
      ],
      "fingerprint": "0123",
`
	}
	want := `{
  "builds": [
` + head("reuse") + `      "action": "complete",
      "reuse": {
        "id": "ami-2",
        "name": "web 1",
        "created": "2026-11-27T12:00:00Z",
        "copies": {
          "us-west-2": "ami-3"
        },
        "missing": [
          "us-east-2"
        ]
      }
    },
` + head("bake") + `      "action": "bake",
      "reasons": [
        "there is no image of this fingerprint"
      ],
      "since": {
        "id": "ami-2",
        "name": "web 1",
        "created": "2026-11-27T12:00:00Z",
        "changes": [
          "step 1: run a.sh: changed ` + redact.Hidden + `"
        ],
        "rough": true
      }
    }
  ]
}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
