package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/retention"
)

// pruned is the result of a prune, as far as printing goes.
func pruned() retention.Result {
	web := []retention.Series{{Application: "shop", Image: "web", Environment: "production"}, {Application: "shop", Image: "web", Environment: "staging"}}
	tags := map[string]string{builder.TagApplication: "shop", builder.TagImage: "web", builder.TagEnvironment: "production staging", builder.TagFingerprint: "0123456789abcdef"}
	created := time.Now().Add(-72*time.Hour - time.Minute)
	return retention.Result{
		Decisions: []retention.Decision{
			{Image: retention.Image{ID: "ami-2", Name: "web 2", Region: "us-east-1", State: "available", Created: created, Tags: tags, Size: 8}, Series: web, Why: "the newest in production", Uses: []retention.Use{
				{By: "auto scaling group web", Release: "the current release in production"}, {By: "launch template web version 2"}, {By: "instance i-1 (running)"}, {By: "instance i-2 (running)"},
			}},
			{Image: retention.Image{ID: "ami-1", Name: "web 1", Region: "us-east-1", State: "available", Created: created, Tags: tags, Size: 8, Snapshots: []string{"snap-1"}}, Series: web, Why: "not the newest", Remove: true},
			{Image: retention.Image{ID: "ami-9", Name: "db 1", Region: "us-east-1", State: "pending"}, Series: []retention.Series{{Image: "db *"}}, Why: "it is pending"},
		},
		Orphans: []retention.Snapshot{{ID: "snap-0", Region: "us-east-1", Image: "ami-0"}},
	}
}

// TestPrintPruned: the result as people and as programs see it.
func TestPrintPruned(t *testing.T) {
	plan := `keep    image     ami-2   us-east-1  shop/web in production, staging  web 2  3d  the newest in production
remove  image     ami-1   us-east-1  shop/web in production, staging  web 1  3d  not the newest
keep    image     ami-9   us-east-1  db *                             db 1   -   it is pending
remove  snapshot  snap-0  us-east-1  -                                -      -   an earlier prune has left it when ami-0 went
`
	left := "imago: removed snap-0 in us-east-1: an earlier prune has left it when ami-0 went\n"
	for name, tt := range map[string]struct {
		options        pruneOptions
		result         retention.Result
		err            error
		stdout, stderr string
	}{
		"plan": {pruneOptions{plan: true}, pruned(), nil, plan, ""},
		"done": {pruneOptions{}, pruned(), nil, "ami-1\n", left},
		"kept": {pruneOptions{kept: true}, pruned(), nil, "ami-1\n", left +
			"imago: kept ami-2 (web 2) in us-east-1, of shop/web in production, staging: the newest in production\n" +
			"imago: kept ami-9 (db 1) in us-east-1, of db *: it is pending\n"},
		"nothing":   {pruneOptions{}, retention.Result{Decisions: pruned().Decisions[:1]}, nil, "", "imago: of 1 image there is none to take away\n"},
		"no images": {pruneOptions{}, retention.Result{}, nil, "", "imago: there are no such images\n"},
		"refused":   {pruneOptions{}, retention.Result{}, errors.New("no"), "", ""},
		"json": {pruneOptions{imagesOptions: imagesOptions{json: true}}, retention.Result{Decisions: pruned().Decisions[2:], Orphans: pruned().Orphans}, errors.New("no"), `{
  "plan": false,
  "remove": [],
  "keep": [
    {
      "id": "ami-9",
      "name": "db 1",
      "region": "us-east-1",
      "image": "db *",
      "environments": [],
      "state": "pending",
      "size_gib": 0,
      "snapshots": [],
      "parents": [],
      "used_by": [],
      "why": "it is pending"
    }
  ],
  "snapshots": [
    {
      "id": "snap-0",
      "region": "us-east-1",
      "image": "ami-0"
    }
  ],
  "errors": [
    "no"
  ]
}
`, ""},
	} {
		var stdout, stderr strings.Builder
		s := newSession(strings.NewReader(""), &stdout, &stderr)
		if err := s.printPruned(tt.options, tt.result, tt.err); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.stdout, stdout.String()) + cmp.Diff(tt.stderr, stderr.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestImagesTable: one line an image, with a region where there are several.
func TestImagesTable(t *testing.T) {
	var stdout, stderr strings.Builder
	s := newSession(strings.NewReader(""), &stdout, &stderr)
	if err := s.imagesTable(pruned().Decisions, true); err != nil {
		t.Fatal(err)
	}
	want := `REGION     ID     NAME   APPLICATION  IMAGE  ENVIRONMENT         FINGERPRINT   AGE  SIZE   IN USE BY
us-east-1  ami-2  web 2  shop         web    production staging  0123456789ab  3d   8 GiB  current release in production, by auto scaling group web; launch template web version 2; and 2 more
us-east-1  ami-1  web 1  shop         web    production staging  0123456789ab  3d   8 GiB  -
us-east-1  ami-9  db 1   -            db *   -                   -             -    0 GiB  (pending)
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Error(diff)
	}
}

const shop = `
application         = "shop"
default_environment = "staging"
environment "staging" { region = "eu-west-1" }
environment "production" { region = "us-east-1" }
image "base" {
  template = "t.json"
  retention { keep = 2 }
}
image "web" { template = "t.json" }
`

// TestBound: without a bound on the command line, the project file has it.
func TestBound(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("t.json", []byte(`{"builders": [{"type": "amazon-ebs", "ami_name": "x", "instance_type": "t3.micro", "source_ami": "ami-22de994a", "ssh_username": "admin", "region": "us-east-1"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	base := map[string]retention.Bound{"base": {Keep: 2}, "web": {}}
	for name, tt := range map[string]struct {
		file    string
		choose  retention.Policy
		want    retention.Policy
		regions []string
		err     string
	}{
		"flags":       {"", retention.Policy{Bound: retention.Bound{Keep: 1}}, retention.Policy{Bound: retention.Bound{Keep: 1}}, nil, ""},
		"no file":     {"", retention.Policy{}, retention.Policy{}, nil, "prune: nothing says what is to go, and there is no imago.hcl here: say how many images stay with --keep N, or how long with --days D (see imago help prune)"},
		"one image":   {shop, retention.Policy{}, retention.Policy{Application: "shop", ByImage: base}, []string{"eu-west-1", "us-east-1"}, ""},
		"environment": {shop, retention.Policy{Environment: "production"}, retention.Policy{Application: "shop", Environment: "production", ByImage: base}, []string{"us-east-1"}, ""},
		"project": {shop + "retention { days = 3 }", retention.Policy{Image: "web"},
			retention.Policy{Application: "shop", Image: "web", Bound: retention.Bound{Age: 3 * day}, ByImage: map[string]retention.Bound{"base": {Keep: 2}, "web": {Age: 3 * day}}}, []string{"eu-west-1", "us-east-1"}, ""},
		"another":      {shop, retention.Policy{Application: "blog"}, retention.Policy{}, nil, "prune: imago.hcl is of shop, not of blog: say how many images stay with --keep N, or how long with --days D (see imago help prune)"},
		"no retention": {strings.Replace(shop, "retention { keep = 2 }", "", 1), retention.Policy{}, retention.Policy{}, nil, "prune: imago.hcl has no retention block: say how many images stay with --keep N, or how long with --days D (see imago help prune)"},
	} {
		os.Remove("imago.hcl")
		if tt.file != "" {
			if err := os.WriteFile(filepath.Join(".", "imago.hcl"), []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var stderr strings.Builder
		s := newSession(strings.NewReader(""), &stderr, &stderr)
		o := pruneOptions{imagesOptions: imagesOptions{choose: tt.choose}, project: projectOptions{path: "imago.hcl", environment: tt.choose.Environment}}
		err := s.bound(&o)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err || exitCode(err) != exitUsage {
				t.Errorf("%s: got %v, want %s", name, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, o.choose) + cmp.Diff(tt.regions, o.regions); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}
