package template_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

// postProcessorsOf reads a section of post-processors of a template with the builds web and db.
func postProcessorsOf(t *testing.T, section string, o template.Options) (*template.Template, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.json")
	const builder = `{"type": "amazon-ebs", "name": "%s", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "x"}`
	text := `{"builders": [` + fmt.Sprintf(builder, "web") + "," + fmt.Sprintf(builder, "db") + "],\n\"post-processors\": " + section + "}"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return template.Parse(path, o)
}

// TestPostProcessorSequences: a list is a sequence of its own; -except ends one, only and except pass one over.
func TestPostProcessorSequences(t *testing.T) {
	const section = `["manifest", [
		{"type": "shell-local", "name": "one", "inline": ["true"]},
		{"type": "shell-local", "name": "two", "inline": ["true"], "only": ["db"]},
		{"type": "shell-local", "name": "three", "inline": ["true"]}
	], {"type": "manifest", "name": "last", "keep_input_artifact": true}]`
	for _, c := range []struct {
		except []string
		want   string
	}{
		{nil, "web: 0 manifest, 1 one, 1 three, 2 last; db: 0 manifest, 1 one, 1 two, 1 three, 2 last; "},
		{[]string{"one"}, "web: 0 manifest, 2 last; db: 0 manifest, 2 last; "},
		{[]string{"two"}, "web: 0 manifest, 1 one, 2 last; db: 0 manifest, 1 one, 2 last; "},
		{[]string{"manifest", "db"}, "web: 1 one, 1 three; "},
	} {
		got, err := postProcessorsOf(t, section, template.Options{Except: c.except})
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, b := range got.Builds {
			var all []string
			for _, p := range b.PostProcessors {
				all = append(all, fmt.Sprintf("%d %s", p.Sequence, p.Name))
			}
			text += b.Name + ": " + strings.Join(all, ", ") + "; "
		}
		if text != c.want {
			t.Errorf("-except=%v: %s, want %s", c.except, text, c.want)
		}
	}
}

func TestCleaner(t *testing.T) {
	for _, c := range []struct {
		options string
		want    template.Cleaner
	}{
		{
			`"identifier": "web", "keep_releases": "3"`,
			template.Cleaner{Tags: map[string]string{"Amazon_AMI_Management_Identifier": "web"}, Keep: 3},
		},
		{
			`"tags": {"app": "web", "env": "prod"}, "keep_days": 14, "regions": ["us-east-1", "eu-west-1"], "dry_run": "true", "region": "us-east-1", "profile": "bakery", "resolve_aliases": true`,
			template.Cleaner{
				Tags: map[string]string{"app": "web", "env": "prod"}, Age: 14 * 24 * time.Hour, Regions: []string{"us-east-1", "eu-west-1"},
				DryRun: true, Access: template.Access{Region: "us-east-1", Profile: "bakery"},
			},
		},
	} {
		got, err := postProcessorsOf(t, `[{"type": "amazon-ami-management", `+c.options+`}]`, template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&c.want, got.Builds[0].PostProcessors[0].Cleaner); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.options, diff)
		}
	}
}

func TestPostProcessorProblems(t *testing.T) {
	for section, want := range map[string]string{
		`[{"type": "amazon-ami-management"}]`: `:2:21: post-processor amazon-ami-management needs identifier or tags: they say which images are meant
:2:21: post-processor amazon-ami-management needs keep_releases or keep_days: they say which images stay`,
		`[{"type": "amazon-ami-management", "identifier": "x", "tags": {"a": "b"}, "keep_releases": 1, "keep_days": 2}]`: `:2:82: identifier and tags exclude each other; keep one
:2:127: keep_releases and keep_days exclude each other; keep one`,
		`[{"type": "amazon-ami-management", "identifier": "x", "keep_releases": 0}]`: `:2:91: keep_releases is "0"; it must be a whole number from 1 on`,
		`[{"type": "checksum", "checksum_types": ["md5", "sha265"]}]`:                `:2:68: checksum_types holds "sha265", which is no type of checksum; did you mean "sha256"?`,
		`[{"type": "checksum", "output": "{{.ChecksumTyp}}"}]`:                       `:2:52: output: {{.ChecksumTyp}} has no value here; there are .BuildName, .BuilderType, .ChecksumType; did you mean "ChecksumType"?`,
		`[{"type": "artifice"}]`: `:2:21: post-processor artifice needs files`,
		`[{"type": "artifise"}]`: `:2:30: there is no post-processor "artifise"; did you mean "artifice"?`,
	} {
		_, err := postProcessorsOf(t, section, template.Options{})
		var got []string
		for _, e := range split(err) {
			got = append(got, fmt.Sprintf(":%d:%d: %s", e.Line, e.Column, e.Text))
		}
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("%s:\ngot  %s\nwant %s", section, text, want)
		}
	}
}

// TestChecksumOfNothing: an image has no files, which somebody who wants sums of it is told.
func TestChecksumOfNothing(t *testing.T) {
	got, err := postProcessorsOf(t, `["checksum", [{"type": "artifice", "files": ["x"]}, "checksum"]]`, template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "checksum has no effect here: an image has no files") {
		t.Errorf("warnings %q", got.Warnings)
	}
	to, err := got.Builds[1].PostProcessors[2].Checksum.Output("md5")
	if err != nil || to != "packer_db_amazon-ebs_md5.checksum" {
		t.Errorf("the sums go to %q (%v)", to, err)
	}
}
