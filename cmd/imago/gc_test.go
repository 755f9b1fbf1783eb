package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
	"github.com/imagobuild/imago/builder/journal"
)

// TestReaches: each way to an account is gone once, the user's own first, and in
// every region where a build of it was.
func TestReaches(t *testing.T) {
	found := []*journal.Found{
		{Via: journal.Via{Local: true}, Regions: []string{"us-east-1"}},
		{Via: journal.Via{}, Regions: []string{"eu-west-1"}},
		{Via: journal.Via{Profile: "ci"}, Regions: []string{"us-east-1", "eu-west-1"}},
		{Via: journal.Via{Profile: "ci"}, Regions: []string{"us-west-2"}},
	}
	for name, tt := range map[string]struct {
		options gcOptions
		want    map[string][]string // profile to regions
		others  int
	}{
		"AWS":     {gcOptions{regions: []string{"sa-east-1"}}, map[string][]string{"": {"eu-west-1", "sa-east-1", "us-west-1"}, "ci": {"eu-west-1", "sa-east-1", "us-east-1", "us-west-1", "us-west-2"}}, 1},
		"local":   {gcOptions{local: true}, map[string][]string{"": {"us-east-1", "us-west-1"}}, 3},
		"profile": {gcOptions{profile: "ci"}, map[string][]string{"ci": {"eu-west-1", "us-east-1", "us-west-1", "us-west-2"}}, 2},
	} {
		all, others := tt.options.reaches(found)
		got := map[string][]string{}
		for _, r := range all {
			got[r.via.Profile] = r.regions("us-west-1", tt.options.regions)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || others != tt.others {
			t.Errorf("%s: %d others, want %d\n%s", name, others, tt.others, diff)
		}
	}
}

// TestPrintCollection: the plan as people and as programs see it.
func TestPrintCollection(t *testing.T) {
	out := collection{
		remove: []gc.Verdict{{Resource: gc.Resource{Kind: "key pair", ID: "key-1", Name: "imago-1", Region: "us-east-1"}, Build: "0123456789ab", Remove: true, Why: "process 7 on vm is gone"}},
		keep:   []gc.Verdict{{Resource: gc.Resource{Kind: "image", ID: "ami-1", Name: "web", Region: "us-east-1"}, Build: "0123456789ab", Why: "it is finished"}},
	}
	errs := []error{nil, &builder.LeakError{Resources: []string{"volume vol-1"}, Err: errors.New("not yours")}}
	for name, tt := range map[string]struct {
		options        gcOptions
		out            collection
		errs           []error
		stdout, stderr string
	}{
		"plan": {gcOptions{plan: true}, out, errs, "remove  key pair  key-1  us-east-1  0123456789ab  process 7 on vm is gone\n" +
			"keep    image     ami-1  us-east-1  0123456789ab  it is finished\n", ""},
		"done":    {gcOptions{}, out, nil, "", ""},
		"nothing": {gcOptions{}, collection{}, nil, "", "imago: nothing was left behind\n"},
		"json": {gcOptions{json: true}, out, errs, `{
  "plan": false,
  "remove": [
    {
      "kind": "key pair",
      "id": "key-1",
      "name": "imago-1",
      "region": "us-east-1",
      "build": "0123456789ab",
      "why": "process 7 on vm is gone"
    }
  ],
  "keep": [
    {
      "kind": "image",
      "id": "ami-1",
      "name": "web",
      "region": "us-east-1",
      "build": "0123456789ab",
      "why": "it is finished"
    }
  ],
  "environments": [],
  "errors": [
    "left behind: volume vol-1 (not yours)"
  ]
}
`, ""},
	} {
		var stdout, stderr strings.Builder
		s := newSession(strings.NewReader(""), &stdout, &stderr)
		if err := s.printCollection(tt.options, tt.out, tt.errs); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.stdout, stdout.String()) + cmp.Diff(tt.stderr, stderr.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
