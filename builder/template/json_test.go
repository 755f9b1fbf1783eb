package template

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzJSON holds the reader against encoding/json: both take the same texts and
// find the same in them, but for names that are there twice. Nor may reading a
// text as a template panic or hang.
func FuzzJSON(f *testing.F) {
	for _, name := range []string{"primal.json", "carnivore.json", "everything.json"} {
		text, err := os.ReadFile(filepath.Join("testdata/project", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	o := Options{Getwd: f.TempDir()}
	for _, s := range []string{
		`{}`, `[]`, `null`, `true`, `"a\u00e9\ud83d\ude00\ud800\n"`, `-0.5e+10`, `01`, `1.`, `-`, `[1,]`, `{"a":1,}`, `{"a":1 "b":2}`,
		`{"a":{"b":[1,2,{"c":null}]}}`, "\ufeff{}", "\"\t\"", `"\x"`, `"\u12g4"`, `"abc`, `{"a":1}x`, " \r\n\t[ 1 , 2 ] ", "\"\xff\"", "nul", `{1:2}`, `{"a"}`, "[\x00]", `{"a":1,"a":2}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p problems
		v, ok := readJSON("f", []byte(text), &p)
		if valid := json.Valid([]byte(text)); ok != valid {
			t.Fatalf("taken: %v, by encoding/json: %v; %v", ok, valid, p.err(nil))
		}
		if !ok {
			e := p.all[len(p.all)-1]
			if lines := strings.Count(text, "\n") + 1; e.Line < 1 || e.Line > lines || e.Column < 1 || e.Column > len(text)+1 {
				t.Errorf("the place of %v is outside the text", e)
			}
			return
		}
		readAsTemplate(t, o, text)
		if len(p.all) > 0 {
			return // encoding/json keeps the last of two of a name
		}
		var want any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := plainValue(v); !reflect.DeepEqual(want, got) { // cmp is slow on deep values
			t.Errorf("read as %v, by encoding/json as %v", got, want)
		}
	})
}

// readAsTemplate reads a text as validate and inspect do.
func readAsTemplate(t *testing.T, o Options, text string) {
	if err := os.WriteFile(filepath.Join(o.Getwd, "t.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, o.Inspect = range []bool{true, false} {
		if got, err := Parse("t.json", o); (got == nil) && (err == nil) {
			t.Error("neither a template nor an error")
		}
	}
}

func plainValue(v value) any {
	switch v.kind {
	case kindBool:
		return v.text == "1"
	case kindNumber:
		return json.Number(v.text)
	case kindString:
		return v.text
	case kindList:
		list := []any{}
		for _, e := range v.list {
			list = append(list, plainValue(e))
		}
		return list
	case kindObject:
		object := map[string]any{}
		for _, m := range v.members {
			object[m.name] = plainValue(m.value)
		}
		return object
	}
	return nil
}

// TestPlaces: every name and value knows where it stands, in characters.
func TestPlaces(t *testing.T) {
	var p problems
	v, ok := readJSON("f", []byte("{\n  \"ä\": [1,\n\t\"é\", {\"b\" : null}]\n}"), &p)
	if !ok {
		t.Fatal(p.err(nil))
	}
	a := v.members[0]
	got := []pos{v.pos, a.pos, a.value.pos, a.value.list[0].pos, a.value.list[1].pos, a.value.list[2].pos, a.value.list[2].members[0].pos, a.value.list[2].members[0].value.pos}
	var want []pos
	for _, at := range [][2]int{{1, 1}, {2, 3}, {2, 8}, {2, 9}, {3, 2}, {3, 7}, {3, 8}, {3, 14}} {
		want = append(want, pos{line: at[0], column: at[1]})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pos{})); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// TestDepth: nesting ends where it does in encoding/json, not with the stack.
func TestDepth(t *testing.T) {
	for _, depth := range []int{10_000, 10_001, 1_000_000} {
		text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		var p problems
		if _, ok := readJSON("f", []byte(text), &p); ok != json.Valid([]byte(text)) {
			t.Errorf("%d levels: taken: %v; %v", depth, ok, p.err(nil))
		}
	}
}
