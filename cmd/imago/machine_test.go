package main

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

func TestMachineLines(t *testing.T) {
	m := machine{clean: strings.Clone, now: func() time.Time { return time.Unix(1762000000, 0) }}
	tests := []struct {
		name, got, want string
	}{
		{"data", m.text("web", "artifact", "0", "id", "a,b"), "1762000000,web,artifact,0,id,a%!(PACKER_COMMA)b"},
		{"line ends", m.text("", "error", "one\r\ntwo\n"), `1762000000,,error,one\r\ntwo\n`},
		{"heading", m.format(line{"web", heading, "launch"}), "1762000000,,ui,say,==> web: launch"},
		{"script", m.format(line{"web", output, "a, \x1b[31mb"}), "1762000000,,ui,message,    web: a%!(PACKER_COMMA) b"},
		{"warning", m.format(line{"web", warning, "careful"}), "1762000000,,ui,say,==> web: warning: careful"},
		{"failure", m.format(line{"web", failure, "ended"}), "1762000000,,ui,error,==> web: ended"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// someResults are a build that succeeded, one that did not, and one whose post-processor did not.
func someResults() []result {
	built := func(name string) template.Build { return template.Build{Name: name, Type: "amazon-ebs"} }
	return []result{
		{build: built("web"), image: builder.Image{
			ID: "ami-2", Region: "us-west-2", Name: "web hunter2", Snapshots: []string{"snap-1"},
			Copies: map[string]string{"eu-west-1": "ami-3"}, Source: builder.SourceImage{ID: "ami-1"}, Took: 1234567 * time.Microsecond,
		}, made: []artifact{fileArtifact("artifice", []string{"a", "b"})}},
		{build: built("db"), err: errors.New("launch: no, hunter2")},
		{build: built("api"), image: builder.Image{ID: "ami-4", Region: "us-west-2", Name: "api"}, err: errors.New("post-processor manifest: disk full")},
	}
}

// reported runs report and returns both streams.
func reported(t *testing.T, o buildOptions) (stdout, stderr string) {
	t.Helper()
	var out, messages strings.Builder
	s := newSession(strings.NewReader(""), &out, &messages)
	s.secrets.Hide("hunter2")
	if err := s.report(someResults(), o, "run-1"); err != nil {
		t.Fatal(err)
	}
	return out.String(), messages.String()
}

// TestMachineSensitive: a secret is found before it is written as a field.
func TestMachineSensitive(t *testing.T) {
	var out strings.Builder
	s := newSession(strings.NewReader(""), &out, io.Discard)
	s.secrets.Hide("a,b\nc")
	m := s.machine()
	if err := m.line("web", "error", "no a,b\nc"); err != nil {
		t.Fatal(err)
	}
	if _, got, _ := strings.Cut(out.String(), ","); got != "web,error,no <sensitive>\\n<sensitive>\n" {
		t.Errorf("it wrote %q", got)
	}
}

func TestReport(t *testing.T) {
	stdout, stderr := reported(t, buildOptions{})
	if want := "ami-2\nami-4\n"; stdout != want {
		t.Errorf("stdout = %q, want %q", stdout, want)
	}
	want := `--> web: AMIs were created:
eu-west-1: ami-3
us-west-2: ami-2
--> api: AMIs were created:
us-west-2: ami-4
`
	if diff := cmp.Diff(want, stderr); diff != "" {
		t.Errorf("stderr (-want +got)\n%s", diff)
	}
}

func TestReportMachine(t *testing.T) {
	stdout, stderr := reported(t, buildOptions{readable: true})
	want := `T,,error-count,2
T,db,error,launch: no%!(PACKER_COMMA) <sensitive>
T,api,error,post-processor manifest: disk full
T,,ui,say,\n==> Builds finished. The artifacts of successful builds are:
T,web,artifact-count,2
T,web,artifact,0,builder-id,mitchellh.amazonebs
T,web,artifact,0,id,eu-west-1:ami-3%!(PACKER_COMMA)us-west-2:ami-2
T,web,artifact,0,string,AMIs were created:\neu-west-1: ami-3\nus-west-2: ami-2\n
T,web,artifact,0,files-count,0
T,web,artifact,0,end
T,,ui,say,--> web: AMIs were created:\neu-west-1: ami-3\nus-west-2: ami-2\n
T,web,artifact,1,builder-id,packer.post-processor.artifice
T,web,artifact,1,id,
T,web,artifact,1,string,Created artifact from files: a%!(PACKER_COMMA) b
T,web,artifact,1,files-count,2
T,web,artifact,1,file,0,a
T,web,artifact,1,file,1,b
T,web,artifact,1,end
T,,ui,say,--> web: Created artifact from files: a%!(PACKER_COMMA) b
T,api,artifact-count,1
T,api,artifact,0,builder-id,mitchellh.amazonebs
T,api,artifact,0,id,us-west-2:ami-4
T,api,artifact,0,string,AMIs were created:\nus-west-2: ami-4\n
T,api,artifact,0,files-count,0
T,api,artifact,0,end
T,,ui,say,--> api: AMIs were created:\nus-west-2: ami-4\n
`
	stdout = regexp.MustCompile(`(?m)^\d+,`).ReplaceAllString(stdout, "T,")
	if diff := cmp.Diff(want, stdout); diff != "" {
		t.Errorf("stdout (-want +got)\n%s", diff)
	}
	if stderr != "" {
		t.Errorf("stderr = %q, want nothing", stderr)
	}
}

// TestReportMachineNothing: when nothing was made, that is said.
func TestReportMachineNothing(t *testing.T) {
	var out strings.Builder
	s := newSession(strings.NewReader(""), &out, io.Discard)
	if err := s.report([]result{{build: template.Build{Name: "db"}, err: errors.New("no")}}, buildOptions{readable: true}, "run-1"); err != nil {
		t.Fatal(err)
	}
	want := "T,,error-count,1\nT,db,error,no\nT,,ui,say,\\n==> Builds finished but no artifacts were created.\n"
	if got := regexp.MustCompile(`(?m)^\d+,`).ReplaceAllString(out.String(), "T,"); got != want {
		t.Errorf("stdout = %q, want %q", got, want)
	}
}

func TestReportJSON(t *testing.T) {
	stdout, _ := reported(t, buildOptions{json: true})
	want := `{
  "run_id": "run-1",
  "images": [
    {
      "build": "web",
      "type": "amazon-ebs",
      "id": "ami-2",
      "region": "us-west-2",
      "name": "web <sensitive>",
      "copies": {
        "eu-west-1": "ami-3"
      },
      "snapshots": [
        "snap-1"
      ],
      "source_id": "ami-1",
      "reused": false,
      "seconds": 1.235
    },
    {
      "build": "api",
      "type": "amazon-ebs",
      "id": "ami-4",
      "region": "us-west-2",
      "name": "api",
      "snapshots": [],
      "source_id": "",
      "reused": false,
      "seconds": 0
    }
  ],
  "errors": [
    {
      "build": "db",
      "message": "launch: no, <sensitive>"
    },
    {
      "build": "api",
      "message": "post-processor manifest: disk full"
    }
  ]
}
`
	if diff := cmp.Diff(want, stdout); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
