//go:build unix

package journal_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
	"github.com/imagobuild/imago/builder/journal"
)

const build = "0123456789ab"

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// record is a record of an instance.
func record(act builder.Act, id string) builder.Record {
	return builder.Record{Build: build, Time: noon, Act: act, Kind: builder.KindInstance, Region: "us-east-1", Name: "imago-" + build, ID: id}
}

// TestMain is the test, or with $JOURNAL a builder that writes one there and then
// waits for its end.
func TestMain(m *testing.M) {
	dir := os.Getenv("JOURNAL")
	if dir == "" {
		os.Exit(m.Run())
	}
	l := &journal.Log{Dir: dir, Via: journal.Via{Profile: "ci"}}
	for _, r := range []builder.Record{record(builder.Making, ""), record(builder.Made, "i-1")} {
		if err := l.Record(r); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fmt.Println("written")
	time.Sleep(time.Minute)
}

// start runs such a builder, and returns how to kill it.
func start(t *testing.T, dir string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(kill)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "written\n" {
		t.Fatalf("the builder says %q", line)
	}
	return kill
}

// read reads the journals of a directory and closes them when the test ends.
func read(t *testing.T, dir string, hold bool) []*journal.Found {
	t.Helper()
	all, err := journal.Read(dir, hold)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Cleanup(func() { f.Close() })
	}
	return all
}

// states says in which state the journals are.
func states(all []*journal.Found) (states []gc.State) {
	for _, f := range all {
		states = append(states, f.Build.State)
	}
	return states
}

// TestKilled: a builder lives as long as its process does, whatever ends that;
// and what a collection holds, no other touches.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	kill := start(t, dir)
	for _, hold := range []bool{false, true} {
		if diff := cmp.Diff([]gc.State{gc.Living}, states(read(t, dir, hold))); diff != "" {
			t.Errorf("while it runs, hold %v: %s", hold, diff)
		}
	}
	kill()
	if diff := cmp.Diff([]gc.State{gc.Gone}, states(read(t, dir, false))); diff != "" {
		t.Errorf("killed: %s", diff)
	}
	first := read(t, dir, true)
	want := gc.Build{ID: build, State: gc.Gone, Things: []gc.Thing{{Kind: "instance", ID: "i-1", Region: "us-east-1", Since: noon}}}
	got := first[0].Build
	if !regexp.MustCompile(`^process \d+ on .+ is gone$`).MatchString(got.Why) {
		t.Errorf("why: %q", got.Why)
	}
	got.Why = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if via := first[0].Via; via != (journal.Via{Profile: "ci"}) {
		t.Errorf("via %+v", via)
	}
	if diff := cmp.Diff([]gc.State{gc.Living}, states(read(t, dir, true))); diff != "" {
		t.Errorf("held by another collection: %s", diff)
	}
	if err := first[0].Remove(); err != nil || len(read(t, dir, true)) != 0 {
		t.Errorf("after Remove: %v", err)
	}
}

// TestElsewhere: nothing is known of a builder on another computer; one that ran
// here before the last boot is gone.
func TestElsewhere(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)() // and kill it
	path := filepath.Join(dir, build+".jsonl")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	boot, machine := regexp.MustCompile(`"boot":"[^"]*"`), regexp.MustCompile(`"machine":"[^"]*"`)
	elsewhere := machine.ReplaceAllString(boot.ReplaceAllString(string(b), `"boot":"x"`), `"machine":"x"`)
	for name, tt := range map[string]struct {
		text string
		want gc.State
	}{
		"another computer":       {elsewhere, gc.Unknown},
		"before the last boot":   {boot.ReplaceAllString(string(b), `"boot":"x"`), gc.Gone},
		"a container here":       {machine.ReplaceAllString(string(b), `"machine":"x"`), gc.Gone},
		"another, without locks": {strings.Replace(elsewhere, `"locked":true`, `"locked":false`, 1), gc.Unknown},
		"here, without locks":    {strings.Replace(string(b), `"locked":true`, `"locked":false`, 1), gc.Gone},
		"us, without locks": {regexp.MustCompile(`"pid":\d+,"started":"\d+"`).ReplaceAllString(
			strings.Replace(string(b), `"locked":true`, `"locked":false`, 1), ourselves(t)), gc.Unknown},
	} {
		if machine.FindString(string(b)) == "" && name == "before the last boot" {
			continue // this computer has no machine-id
		}
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]gc.State{tt.want}, states(read(t, dir, false))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// ourselves is how a header names this process, taken from one that it writes.
func ourselves(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := (&journal.Log{Dir: dir}).Record(record(builder.Making, "")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, build+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`"pid":\d+,"started":"\d+"`).FindString(string(b))
}

// TestEnds: a build that ends by itself takes its journal with it; one that
// leaves something unlocks it; and one that was left on purpose says so.
func TestEnds(t *testing.T) {
	for act, want := range map[builder.Act][]gc.State{
		builder.Ended: nil, builder.Leaked: {gc.Gone}, builder.Left: {gc.Left},
		builder.Gone: {gc.Living}, builder.Kept: {gc.Living},
	} {
		l := &journal.Log{Dir: filepath.Join(t.TempDir(), "new", "journal")}
		for _, r := range []builder.Record{record(builder.Making, ""), record(builder.Made, "i-1"), record(act, "i-1")} {
			if err := l.Record(r); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, states(read(t, l.Dir, false))); diff != "" {
			t.Errorf("%s: %s", act, diff)
		}
	}
}

// TestGoOn: who goes on with a journal is its owner, with all that it said, until the build ends.
func TestGoOn(t *testing.T) {
	dir := t.TempDir()
	reading := journal.Reading{Time: noon, Seed: "x"}
	begun := builder.Record{Build: build, Time: noon, Act: builder.Begun, Region: "us-east-1", Name: "web 1", Config: "web", Inputs: "y"}
	first := &journal.Log{Dir: dir, Reading: reading}
	for _, r := range []builder.Record{begun, record(builder.Making, ""), record(builder.Left, "")} {
		if err := first.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	found := read(t, dir, true)[0]
	if found.Reading != reading || !found.Is("web", "us-east-1") || found.Is("web", "eu-west-1") || found.Is("db", "us-east-1") {
		t.Errorf("found %+v", found)
	}
	second := &journal.Log{Dir: dir, Reading: reading}
	if err := second.GoOn(found); err != nil {
		t.Fatal(err)
	}
	if err := second.Record(record(builder.Made, "i-1")); err != nil {
		t.Fatal(err)
	}
	now := read(t, dir, true)[0]
	want := []builder.Record{begun, record(builder.Making, ""), record(builder.Left, ""), record(builder.Made, "i-1")}
	if diff := cmp.Diff(want, now.Records); diff != "" || now.Build.State != gc.Living {
		t.Errorf("state %v, %s", now.Build.State, diff)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	third := &journal.Log{Dir: dir}
	again := read(t, dir, true)[0]
	if again.Build.State != gc.Gone {
		t.Errorf("after Close: state %v", again.Build.State)
	}
	if err := third.GoOn(again); err != nil {
		t.Fatal(err)
	}
	if err := third.Record(record(builder.Ended, "")); err != nil || len(read(t, dir, true)) != 0 {
		t.Errorf("after its end: %v", err)
	}
}

// TestDamaged: a damaged journal is an error that names it, and the others are read.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := (&journal.Log{Dir: dir}).Record(record(builder.Making, "")); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "000000000000.jsonl")
	if err := os.WriteFile(bad, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := journal.Read(dir, false)
	if want := bad + ": line 1 is no header"; len(all) != 1 || err == nil || err.Error() != want {
		t.Errorf("%d journals, error %v, want %s", len(all), err, want)
	}
	if all, err := journal.Read(filepath.Join(dir, "none"), true); all != nil || err != nil {
		t.Errorf("no directory: %v, %v", all, err)
	}
}
