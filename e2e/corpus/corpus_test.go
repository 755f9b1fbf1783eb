package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const index = "kind\tid\trepo\trun_cwd\ttemplate\tbuilders\tprovisioners\tdata_sources\tnotable\tscope\tcomparable\targs\targs_filled\tsyntax\tvalidate\tfilled\tinspect\tvalidate_166\terror\n" +
	"json\t1\ta/b\tsub\tsub/t.json\tamazon-ebs\tshell*2,ansible\t\t\tout\tno (plugin not installed)\t\t\t0\t1\t1\t0\t0\tError: unknown\n" +
	"hcl\t2\tc/d\t.\t.\tamazon-ebs*2\tshell\tamazon-ami\t\tin\tyes\t\"-var x=1 -var 'y=[\"\"a b\"\"]'\"\t\t0\t0\t0\t0\t\t\n"

func entries(t *testing.T) []entry {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.tsv"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	text := "variable \"x\" {\n}\nvariables {\n  y = \"1\"\n}\n"
	if err := os.MkdirAll(filepath.Join(dir, "hcl/2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hcl/2/v.pkr.hcl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := readIndex(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestIndex: what a record means.
func TestIndex(t *testing.T) {
	all := entries(t)
	type facts struct {
		Name, Template, Family, Validate, Version string
		Args, Outline                             []string
	}
	var got []facts
	for _, e := range all {
		code, version := e.packers(checks[2])
		got = append(got, facts{e.name(), e.template, e.family(), code, version, e.filled, e.outline()})
	}
	want := []facts{
		{"json/1", "t.json", "JSON, Ansible", "0", older, nil, []string{"builder amazon-ebs", "provisioner ansible 1", "provisioner shell 2"}},
		{"hcl/2", ".", "HCL2, data sources", "0", "1.16.0", []string{"-var", "x=1", "-var", `y=["a b"]`},
			[]string{"builder amazon-ebs", "provisioner shell 1", "variable x", "variable y"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// TestExplain: each problem needs its reason, and a warning or an excerpt is not a problem.
func TestExplain(t *testing.T) {
	reasons, err := acceptedReasons()
	if err != nil {
		t.Fatal(err)
	}
	e := entries(t)[0]
	e.provisioners = []string{"powershell"}
	const stderr = `imago: warning: t.json: push has no effect
imago: a.pkr.hcl:63:21: communicator "winrm" is not supported yet; leave it out
imago:   63 |   communicator    = "winrm"
imago:      |                     ^^^^^^^
`
	if got := explain(reasons, e, true, stderr); got != "Windows images are not made; the line is named" {
		t.Errorf("explained by %q", got)
	}
	if got := explain(reasons, e, true, stderr+"imago: a.pkr.hcl:70:1: something else\n"); got != "" {
		t.Errorf("something else is explained by %q", got)
	}
	e.complaint = `Error: function "clean_ami_name" not defined in: x`
	if got := explain(reasons, e, false, ""); !strings.Contains(got, "with a warning") {
		t.Errorf("clean_ami_name is explained by %q", got)
	}
}
