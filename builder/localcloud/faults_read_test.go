package localcloud

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const everyFault = `{
  "seed": 7,
  "clock": "-20m0s",
  "rules": [
    {"action": "*", "share": 0.3, "error": "RequestLimitExceeded"},
    {"action": "RunInstances", "nth": [2, 3], "instance_type": "c7i.*", "subnet": "subnet-1", "zone": "us-east-1a",
     "error": "InsufficientInstanceCapacity", "message": "none left", "times": 1},
    {"action": "Describe*", "delay": "1m30s"},
    {"action": "GetParameter", "reset": "before"},
    {"action": "*", "token": "old", "error": "ExpiredToken"},
    {"action": "RunInstances", "reset": "after", "consistency": "10s", "machine": "never-boots"},
    {"action": "RunInstances", "machine": "dies", "after": "20s"},
    {"action": "StopInstances", "machine": "hangs-in-stop", "for": "1m0s"},
    {"action": "RunInstances", "machine": "disk-full", "bytes": 67108864},
    {"action": "CreateImage", "result": "failed", "after": "30s", "message": "disk trouble"}
  ]
}`

func TestParseFaults(t *testing.T) {
	want := Faults{Seed: 7, Clock: Span(-20 * time.Minute), Rules: []FaultRule{
		{Action: "*", Share: 0.3, Error: "RequestLimitExceeded"},
		{Action: "RunInstances", Nth: []int{2, 3}, InstanceType: "c7i.*", Subnet: "subnet-1", Zone: "us-east-1a",
			Error: "InsufficientInstanceCapacity", Message: "none left", Times: 1},
		{Action: "Describe*", Delay: Span(90 * time.Second)},
		{Action: "GetParameter", Reset: "before"},
		{Action: "*", Token: "old", Error: "ExpiredToken"},
		{Action: "RunInstances", Reset: "after", Consistency: Span(10 * time.Second), Machine: "never-boots"},
		{Action: "RunInstances", Machine: "dies", After: Span(20 * time.Second)},
		{Action: "StopInstances", Machine: "hangs-in-stop", For: Span(time.Minute)},
		{Action: "RunInstances", Machine: "disk-full", Bytes: 64 << 20},
		{Action: "CreateImage", Result: "failed", After: Span(30 * time.Second), Message: "disk trouble"},
	}}
	got, err := ParseFaults([]byte(everyFault))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestParseFaultsSaysAllThatIsWrong(t *testing.T) {
	const names = "action, after, bytes, consistency, delay, error, for, instance_type, machine, message, nth, reset, result, share, subnet, times, token, zone"
	for name, test := range map[string]struct{ text, want string }{
		"nothing":        {"", "line 1: unexpected end of JSON input"},
		"half":           {"{\n\"rules\": [\n", "line 3: unexpected end of JSON input"},
		"more behind":    {"{\"rules\": []}\n{}", "line 2: invalid character '{' after top-level value"},
		"a list":         {`[]`, "line 1: expects an object\nline 1: rules: required"},
		"rules a number": {"{\n\"rules\": 3}", "line 2: rules: expects a list"},
		"a rule null":    {"{\"rules\": [\nnull]}", "line 2: rules[0]: expects an object"},
		"a negative seed": {`{"seed": -1, "rules": []}`,
			"line 1: seed: expects a whole number from 0"},
		"fields": {`{
  "sed": 1,
  "rules": [
    {"action": "RunInstances", "delay": "1s", "delay": "2s"},
    {"acton": "RunInstances",
     "share": "much", "nth": [1.5], "times": 0, "delay": 2, "error": null, "bytes": 1e99}
  ]
}`, `line 2: sed: there is no such field (there are clock, rules, seed)
line 4: rules[0].delay: said twice
line 5: rules[1].acton: there is no such field (there are ` + names + `)
line 6: rules[1].share: expects a number above 0, at most 1
line 6: rules[1].nth: expects a list of whole numbers from 1
line 6: rules[1].times: says nothing: expects a whole number from 1
line 6: rules[1].delay: expects a time such as "1m30s"
line 6: rules[1].error: expects a text
line 6: rules[1].bytes: expects a whole number from 1`},
		"rules": {`{"rules": [
{"delay": "1s"},
{"action": "RunInstance", "delay": "-1s"},
{"action": "Describe*"},
{"action": "ImportKeyPair", "zone": "us-east-1a", "nth": [0], "share": 2, "times": -1, "error": "No such", "reset": "during", "after": "1s"},
{"action": "RunInstances", "error": "InternalError", "consistency": "1s", "message": "m"},
{"action": "DescribeImages", "consistency": "1s", "machine": "dies", "result": "failed"},
{"action": "StopInstances", "machine": "sleeps", "result": "well", "for": "1s", "bytes": 5, "message": "m"},
{"action": "RunInstances", "machine": "disk-full"}
]}`, `line 2: rules[0].action: required
line 3: rules[1].action: the local cloud has no action "RunInstance"
line 3: rules[1].delay: a time cannot be negative
line 4: rules[2]: does nothing; say delay, error, reset, consistency, machine or result
line 5: rules[3]: instance_type, subnet and zone are for RunInstances, StartInstances, StopInstances, RebootInstances, TerminateInstances, CreateImage
line 5: rules[3]: nth and share exclude each other
line 5: rules[3].nth: 0 is not a whole number from 1
line 5: rules[3].share: 2 is not a number above 0, at most 1
line 5: rules[3].times: -1 is not a whole number from 1
line 5: rules[3].error: "No such" is not an error code
line 5: rules[3].reset: "during" is none of before, after
line 5: rules[3]: error and reset exclude each other
line 5: rules[3].after: needs machine dies, or result
line 6: rules[4]: what ends a call before its effect excludes consistency, machine and result
line 7: rules[5].consistency: DescribeImages makes nothing
line 7: rules[5].machine: dies is for RunInstances, StartInstances
line 7: rules[5].result: is for CreateImage, CopyImage, CreateSnapshot, CopySnapshot
line 8: rules[6].machine: "sleeps" is none of never-boots, dies, hangs-in-stop, disk-full
line 8: rules[6].result: "well" is none of failed
line 8: rules[6].result: is for CreateImage, CopyImage, CreateSnapshot, CopySnapshot
line 8: rules[6].for: needs machine hangs-in-stop
line 8: rules[6].bytes: needs machine disk-full
line 9: rules[7].bytes: machine disk-full needs at least 33554432, with which a machine comes up`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseFaults([]byte(test.text))
			if err == nil {
				t.Fatalf("read as %+v", got)
			}
			if diff := cmp.Diff(strings.Split(test.want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOpenRefusesFaultsThatCannotBe(t *testing.T) {
	options := Options{StateDir: t.TempDir(), CacheDir: t.TempDir(), Faults: Faults{Rules: []FaultRule{{Action: "Run"}}}}
	_, err := Open(t.Context(), options)
	want := "rules[0].action: the local cloud has no action \"Run\"\n" +
		"rules[0]: does nothing; say delay, error, reset, consistency, machine or result"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What is read can be written, and is the same when it is read again; what is
// refused is refused with its line.
func FuzzParseFaults(f *testing.F) {
	for _, text := range []string{
		everyFault, `{"rules":[]}`, `{"rules":[{"action":"Run*","delay":"1h"}],"seed":0}`, "", "{", "[]", "null",
		`{"rules":[null,{},[],1]}`, `{"rules":{"action":1}}`, "{\"rules\":\n[{\"acti\\u006fn\":\"*\",\"share\":1e-300,\"reset\":\"after\"}]}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := ParseFaults(text)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "line ") {
					t.Errorf("no line in %q", line)
				}
			}
			return
		}
		if err := got.Validate(); err != nil {
			t.Errorf("read, and then refused: %v", err)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		same, err := ParseFaults(again)
		if diff := cmp.Diff(got, same); err != nil || diff != "" {
			t.Errorf("%s: %v, -first +again:\n%s", again, err, diff)
		}
	})
}
