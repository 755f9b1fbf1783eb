package template

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// reading is a parser in which some variables have values already.
func reading(vars map[string]string) *parser {
	p := &parser{
		o:   Options{Env: func(name string) (string, bool) { return "env of " + name, true }},
		now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), cwd: "/work dir", dir: "/templates",
		build: Build{Name: "web", ScriptName: "web", Type: "amazon-ebs"}, result: &Template{}, facts: map[string]string{"ID": "i-1"},
	}
	p.vars = &variables{values: vars, raw: vars, broken: map[string]bool{}, warned: map[string]bool{}}
	return p
}

func TestFunctions(t *testing.T) {
	p := reading(map[string]string{"x": "A b", "no": ""})
	for text, want := range map[string]string{
		"plain }} text":                       "plain }} text",
		"{{user `x`}}":                        "A b",
		`{{ user "x" }}`:                      "A b",
		"{{user `x` | upper}}{{- /* c */ -}}": "A B",
		"{{lower (user `x`)}}":                "a b",
		"{{timestamp}}":                       "1772600767",
		"{{isotime}}":                         "2026-03-04T05:06:07Z",
		"{{isotime `Jan-_2-2006`}}":           "Mar- 4-2026",
		"{{strftime `%Y-%m-%dT%H:%M:%S %j %V %u %C %s %%`}}": "2026-03-04T05:06:07 063 10 3 20 1772600767 %",
		"{{build_name}}/{{build_type}}":                      "web/amazon-ebs",
		"{{pwd}} {{template_dir}}":                           "/work dir /templates",
		"{{packer_version}}":                                 PackerVersion,
		"{{split `a-b-c` `-` 1}}":                            "b",
		"{{replace `a` `x` 1 `banana`}}":                     "bxnana",
		"{{replace_all `a` `x` `banana`}}":                   "bxnxnx",
		"{{isotime | clean_resource_name}}":                  "2026-03-04T05-06-07Z",
		"{{clean_ami_name `a:b/c é`}}":                       "a-b/c --",
		"{{if eq (user `x`) `A b`}}yes{{else}}no{{end}}":     "yes",
		"{{if user `no`}}yes{{else}}no{{end}}":               "no",
		"{{with user `x`}}<{{.}}>{{end}}":                    "<A b>",
		"{{$v := user `x`}}{{$v}}!":                          "A b!",
		"{{printf `%05d` 42}}":                               "00042",
	} {
		got, err := p.render(text, place{})
		if got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", text, got, err, want)
		}
	}
	if got, err := p.render("{{env `HOME`}}", place{env: true}); got != "env of HOME" || err != nil {
		t.Errorf("env is %q, %v", got, err)
	}
	id := regexp.MustCompile(`^69a7bdbf-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	a, _ := p.render("{{uuid}}", place{})
	b, _ := p.render("{{uuid}}", place{})
	if !id.MatchString(a) || !id.MatchString(b) || a == b {
		t.Errorf("uuid is %q, then %q", a, b)
	}
}

// TestLater: what is known now is filled in, what is not stays.
func TestLater(t *testing.T) {
	p := reading(map[string]string{"x": "A b", "braces": "{{.Path}}", "empty": ""})
	in := place{fields: []string{"Path", "Vars"}, facts: true}
	for text, want := range map[string]string{
		"sudo {{ .Vars }} {{.Path}}":                             "sudo {{.Vars}} {{.Path}}",
		"{{user `x`}} {{.Path}}":                                 "A b {{.Path}}",
		"{{user `braces`}} {{.Path}}":                            `{{"{{.Path}}"}} {{.Path}}`,
		"{{user `braces`}}":                                      `{{"{{"}}.Path}}`,
		"{{.Path}} {{build `ID`}} {{build_name}}":                "{{.Path}} i-1 web",
		"{{if user `x`}}{{.Path}}{{end}}":                        `{{if "A b"}}{{.Path}}{{end}}`,
		"{{if eq build_name `web`}}{{.Path}}{{end}}":             "{{if eq \"web\" `web`}}{{.Path}}{{end}}",
		"{{if eq (user `x` | upper) `A B`}}{{.Path}}{{end}}":     "{{if eq (\"A B\") `A B`}}{{.Path}}{{end}}",
		"{{$u := user `x`}}{{$u}}{{.Path}}":                      `{{$u := "A b"}}{{$u}}{{.Path}}`,
		"{{printf `%s-%s` (user `x`) .Path}}":                    "{{printf `%s-%s` (\"A b\") .Path}}",
		"{{build `ID` | upper}}{{printf `%s` build_name .Path}}": "I-1{{printf `%s` \"web\" .Path}}",
	} {
		got, err := p.render(text, in)
		if got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
		if _, err := complete(got, map[string]string{"Path": "/p"}); err != nil {
			t.Errorf("%s cannot be rendered later: %v", got, err)
		}
	}
}

// TestEscaping: no value of a variable is ever taken for a part of a template,
// neither now nor when the rest is filled in.
func TestEscaping(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"{{", "}}", "{", "}", ".Path", "user `x`", "`", `"`, `\`, "'", "\n", "-", " ", "é", "\xff", "\x00", "/*", "*/", "%s", "$x", "a"}
	in := place{fields: []string{"Path"}, facts: true}
	for range 500 {
		var b strings.Builder
		for range r.IntN(8) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		holds(t, b.String(), in)
	}
}

func FuzzEscaping(f *testing.F) {
	for _, s := range []string{"", "{{.Path}}", "{{{", "}}", "a{{`", `\"{{`, "{{-", "-}}", "{{/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { holds(t, s, place{fields: []string{"Path"}, facts: true}) })
}

// holds checks that the variable x with the value s is rendered as s.
func holds(t *testing.T, s string, in place) {
	t.Helper()
	p := reading(map[string]string{"x": s})
	if got, err := p.render("{{user `x`}}", place{}); got != s || err != nil {
		t.Fatalf("%q became %q, %v", s, got, err)
	}
	for text, want := range map[string]string{
		"{{user `x`}}":                       s,
		"<{{user `x`}}{{user `x`}}>":         "<" + s + s + ">",
		"{{user `x`}}{{.Path}}{{user `x`}}":  s + "/p" + s,
		"{{printf `%s%s` .Path (user `x`)}}": "/p" + s,
		"{ {{user `x`}}}{{build `ID`}}":      "{ " + s + "}i-1",
		"{{if .Path}}{{user `x`}}{{end}}":    s,
	} {
		once, err := p.render(text, in)
		if err != nil {
			t.Fatalf("%s with %q: %v", text, s, err)
		}
		if got, err := complete(once, map[string]string{"Path": "/p"}); err != nil || got != want {
			t.Fatalf("%s with %q became %q and then %q, %v; want %q", text, s, once, got, err, want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	known := []string{"instance_type", "ami_name", "tags", "run_tags", "id"}
	for name, want := range map[string]string{
		"instanse_type": "instance_type", "instancetype": "instance_type", "ami_nmae": "ami_name", "Tags": "tags", "xyz": "", "i": "", "di": "id",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%s suggests %q, want %q", name, got, want)
		}
	}
	if got := fmt.Sprint(distance("", "abc"), distance("abc", ""), distance("ab", "ba"), distance("kitten", "sitting")); got != "3 3 1 3" {
		t.Errorf("distances are %s", got)
	}
}
