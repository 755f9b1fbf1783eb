package main

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud"
)

// The examples that users copy are files that the local cloud takes.
func TestFaultExamples(t *testing.T) {
	text, err := docs.ReadFile("docs/local-cloud.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("\n## Faults\n"))
	for name, from := range map[string]string{"help": faultsHelp, "documentation": string(text)} {
		begin := strings.Index(from, "{\n")
		end := strings.Index(from, "\n  }\n")
		if name == "documentation" {
			end = strings.Index(from, "\n    }\n")
		}
		if begin < 0 || end < begin {
			t.Fatalf("no example in the %s", name)
		}
		f, err := localcloud.ParseFaults([]byte(from[begin:end] + "\n}"))
		if err != nil || len(f.Rules) < 3 {
			t.Errorf("the example of the %s: %d rules, %v", name, len(f.Rules), err)
		}
	}
}

// Every field of a rule has its line in the documentation.
func TestFaultFieldsAreDocumented(t *testing.T) {
	text, err := docs.ReadFile("docs/local-cloud.md")
	if err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[localcloud.FaultRule]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !strings.Contains(string(text), "\n| `"+name+"` | ") {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func TestFaultsAsTextAndInTheStatus(t *testing.T) {
	t.Setenv("IMAGO_CACHE_DIR", "/cache")
	all := []localcloud.FaultCount{
		{Rule: localcloud.FaultRule{Action: "*", Share: 0.5, Error: "RequestLimitExceeded"}, Calls: 9, Struck: 4},
		{Rule: localcloud.FaultRule{Action: "RunInstances", Delay: localcloud.Span(90 * time.Second), Message: "<&"}, Calls: 1},
	}
	status := func(faults []localcloud.FaultCount, asJSON bool) string {
		t.Helper()
		var out bytes.Buffer
		s := &session{stdout: &out}
		if err := s.printStatus(localcloud.Status{Images: 1}, "/state", faults, asJSON); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const head = "the local cloud does not run; start it with: imago local up\n  1 image, 0 instances, 0 snapshots\n" +
		"  state in /state, bases in /cache\n"
	const headJSON = "{\n  \"running\": false,\n  \"state_dir\": \"/state\",\n  \"cache_dir\": \"/cache\",\n" +
		"  \"counts\": {\n    \"images\": 1,\n    \"instances\": 0,\n    \"snapshots\": 0\n  }"
	for name, pair := range map[string][2]string{
		"none":           {"the local cloud has no fault rules\n", string(faultsText(nil))},
		"rules":          {"rules[0] struck 4 of 9 calls  {\"action\":\"*\",\"share\":0.5,\"error\":\"RequestLimitExceeded\"}\nrules[1] struck 0 of 1 call  {\"action\":\"RunInstances\",\"delay\":\"1m30s\",\"message\":\"<&\"}\n", string(faultsText(all))},
		"status":         {head + "  2 fault rules, struck 4 times; see: imago local faults show\n", status(all, false)},
		"status of none": {head, status(nil, false)},
		"JSON": {headJSON + ",\n  \"faults\": [\n    {\n      \"rule\": {\n        \"action\": \"*\",\n        \"share\": 0.5,\n" +
			"        \"error\": \"RequestLimitExceeded\"\n      },\n      \"calls\": 9,\n      \"struck\": 4\n    }\n  ]\n}\n", status(all[:1], true)},
		"JSON of none": {headJSON + "\n}\n", status(nil, true)},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}
