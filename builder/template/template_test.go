package template_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

var update = flag.Bool("update", false, "write the golden files anew")

// options are the same for all tests: a fixed time and environment, and the project's directory.
func options(vars map[string]string) template.Options {
	return template.Options{
		Vars: vars, Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Getwd: "testdata/project",
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"OWNER": "Zoë", "HOME": "/home/baker", "SSH_AUTH_SOCK": "/run/agent"}[name]
			return v, ok
		},
	}
}

// TestGolden holds whole templates against what they were understood as.
func TestGolden(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"primal":     nil,
		"carnivore":  {"SOURCE_ID": "ami-0123456789abcdef0", "NODE_ENV": "production"},
		"everything": nil,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := template.Parse(name+".json", options(vars))
			if err != nil {
				t.Fatal(err)
			}
			isGolden(t, name, got)
		})
	}
}

// isGolden compares what was read with the file that says how it was understood.
func isGolden(t *testing.T, name string, got *template.Template) {
	t.Helper()
	golden, text := filepath.Join("testdata", name+".golden.json"), readable(t, got)
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// readable writes v as JSON, for people.
func readable(t *testing.T, v any) string {
	t.Helper()
	out, err := json.MarshalIndent(plain(reflect.ValueOf(v)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

// plain turns v into what encoding/json can write, and people read: without zero
// fields, with byte strings as text and durations in words.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		if s, ok := v.Interface().(fmt.Stringer); ok {
			return s.String()
		}
		fields := map[string]any{}
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case !f.IsExported():
			case f.Anonymous:
				maps.Copy(fields, plain(v.Field(i)).(map[string]any))
			case !v.Field(i).IsZero():
				fields[f.Name] = plain(v.Field(i))
			}
		}
		return fields
	case reflect.Map:
		m := map[string]any{}
		for _, k := range v.MapKeys() {
			m[k.String()] = plain(v.MapIndex(k))
		}
		return m
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			return string(b)
		}
		list := []any{}
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	case reflect.Func:
		return "a function"
	}
	if s, ok := v.Interface().(fmt.Stringer); ok { // a duration
		return s.String()
	}
	return v.Interface()
}
