package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	took := func(seconds ...float64) (all []sample) {
		for _, s := range seconds {
			all = append(all, sample{Seconds: s, Largest: 10 << 20, Memory: 12 << 20, CPU: 0.5, Sent: 2_500_000, Calls: map[string]int{"A": 2, "B": 1}})
		}
		return all
	}
	r := result{
		row:     row{name: "many", link: link{rtt: 80 * time.Millisecond}, entries: []contender{{name: imagoBake}, {name: "a | b"}, {name: "never ran"}}},
		samples: map[string][]sample{imagoBake: took(1, 2, 3), "a | b": took(2, 8, 6)},
	}
	lines := r.lines(map[string]int64{imagoBake: 8 << 20})
	want := `| row | link | program | median s | min..max | imago / this | largest process MiB | over idle MiB | all MiB | CPU s | sent MB | API calls | n |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| many | 80 ms | imago | 2.000 | 1.000..3.000 |  | 10.0 | 2.0 | 12 | 0.50 | 2.5 | 3 | 3 |
| many | 80 ms | a \| b | 6.000 | 2.000..8.000 | 0.50 (0.25..0.50) | 10.0 |  | 12 | 0.50 | 2.5 | 3 | 3 |
`
	if diff := cmp.Diff(want, table(lines)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	var svg struct {
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal(chart(lines), &svg); err != nil {
		t.Fatal(err)
	}
	wantTexts := []string{"many", "round trip 80 ms", "imago", "2.00 s", "a | b", "6.00 s · 2.0×"}
	if diff := cmp.Diff(wantTexts, svg.Texts[2:]); diff != "" {
		t.Errorf("chart's texts (-want +got):\n%s", diff)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want spread
	}{{nil, spread{}}, {[]float64{3}, spread{3, 3, 3}}, {[]float64{9, 1, 2}, spread{2, 1, 9}}, {[]float64{4, 1, 2, 9}, spread{3, 1, 9}}} {
		if got := spreadOf(c.in); got != c.want {
			t.Errorf("spreadOf(%v) = %v; want %v", c.in, got, c.want)
		}
	}
}

// uploaded is one sample.
func uploaded(whole, upload float64, size int64) sample {
	return sample{Seconds: whole, Wall: whole, Upload: upload, Largest: size << 20}
}

func TestShort(t *testing.T) {
	far := link{rtt: 80 * time.Millisecond, mbit: 50}
	entries := []contender{{name: imagoBake}, {name: packerBake}}
	for _, name := range []string{imagoPut, plainTar, "tar z | ssh tar z", "rsync -az", "scp -r"} {
		entries = append(entries, contender{name: name, uploads: true})
	}
	r := result{row: row{name: "few", about: "40 files", link: far, entries: entries}, samples: map[string][]sample{
		imagoBake: {uploaded(1, 0, 30)}, packerBake: {uploaded(4, 0, 60)}, imagoPut: {uploaded(2, 1, 10)},
		plainTar: {uploaded(5, 0, 8)}, "tar z | ssh tar z": {uploaded(2.5, 0, 8)}, "rsync -az": {uploaded(3, 0, 8)}}}
	direct := result{row: row{name: "validate", direct: true, entries: entries[:1]}, samples: map[string][]sample{imagoBake: {uploaded(0.1, 0, 25)}}}
	idle := map[string]int64{imagoBake: 20 << 20}
	d := document{Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Machine: "M", Packer: "1.6.6", OpenSSH: "OpenSSH_9, OpenSSL", Command: "make bench",
		Idle: idle, Lines: append(r.lines(idle), direct.lines(idle)...)}
	want := `2026-01-02, M; Packer 1.6.6, OpenSSH_9; ` + "`make bench`" + `

| median seconds | round trip | imago | packer | imago / packer | imago, connecting too | tar over ssh | rsync -a | scp -r | imago / best of the three |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
| few: 40 files | 80 ms, 50 Mbit/s | 1.00 | 4.00 | 0.25 (0.25..0.25) | 2.00 | 2.50 z | 3.00 z |  | 0.80 (0.80..0.80) |
| validate | direct | 0.10 |  |  |  |  |  |  |  |

Memory: imago takes 20.0 MiB when it has started and waits, and at most 30.0 MiB (10.0 MiB more: few, 80 ms, 50 Mbit/s).
`
	if diff := cmp.Diff(want, d.short()); diff != "" {
		t.Errorf("short (-want +got):\n%s", diff)
	}
}

// TestCosts: what is there once is told apart from what each file costs.
func TestCosts(t *testing.T) {
	of := func(files int, whole, upload float64, size int64) result {
		return result{row: row{name: fmt.Sprint(files), round: "scale", tree: tree{files: files}}, samples: map[string][]sample{
			imagoPut: {uploaded(whole, upload, 1)}, imagoBake: {uploaded(upload, 0, size)}}}
	}
	got := costs([]result{{row: row{name: "many"}}, of(1000, 0.4, 0.2, 30), of(11000, 1.4, 1.2, 33)})
	one := func(v float64) spread { return spread{v, v, v} }
	want := []cost{
		{Row: "1000", Files: 1000, Whole: one(400), Upload: one(200), Bake: one(200), WholeRatio: one(1), UploadRatio: one(1), Memory: 30 << 20},
		{Row: "11000", Files: 11000, Whole: one(127.27), Upload: one(109.09), Bake: one(109.09), Further: one(100), WholeRatio: one(0.3182), UploadRatio: one(0.5455), Memory: 33 << 20},
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-4*math.Abs(b) })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("costs (-want +got):\n%s", diff)
	}
	if text := costTable(got); !strings.Contains(text, "| 11000 files | 127.3 | 109.1 | 100.0 | 109.1 |  | 0.32 ") {
		t.Errorf("table is\n%s", text)
	}
}

// TestRewrite also holds that the README has the marks.
func TestRewrite(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, block := range []string{"a table\n", "another\n"} {
		if err := rewrite(path, block); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, _ := strings.Cut(string(text), readmeBegin)
		_, after, _ := strings.Cut(rest, readmeEnd)
		if diff := cmp.Diff(before+readmeBegin+block+readmeEnd+after, string(got)); diff != "" {
			t.Errorf("README (-want +got):\n%s", diff)
		}
	}
	if err := os.WriteFile(path, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := rewrite(path, "x"); err == nil {
		t.Error("a file without marks is rewritten")
	}
}

// TestMerge puts two measurements into one README, and refuses those of two computers.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, d document) string {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	row := func(name string) []line {
		return []line{{Row: name, Link: "0 ms", Contender: imagoBake, Seconds: spread{Median: 1}, Samples: []sample{{Seconds: 1}}}}
	}
	a := put("a.json", document{Machine: "m", Packer: "1", OpenSSH: "o", Command: "first", Lines: row("one")})
	b := put("b.json", document{Machine: "m", Packer: "1", OpenSSH: "o", Command: "second", Lines: row("two")})
	other := put("c.json", document{Machine: "another", Packer: "1", OpenSSH: "o", Lines: row("three")})
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("before\n"+readmeBegin+"old\n"+readmeEnd+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := merge([]string{readme, a, b}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	want := "before\n" + readmeBegin + `0001-01-01, m; Packer 1, o; ` + "`first; second`" + `

| median seconds | round trip | imago | packer | imago / packer | imago, connecting too | tar over ssh | rsync -a | scp -r | imago / best of the three |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
| one | 0 ms | 1.00 |  |  |  |  |  |  |  |
| two | 0 ms | 1.00 |  |  |  |  |  |  |  |

` + readmeEnd + "after\n"
	if string(text) != want {
		t.Errorf("the README is\n%s\nwant\n%s", text, want)
	}
	if err := merge([]string{readme, a, other}); err == nil || !strings.Contains(err.Error(), "measured on another computer") {
		t.Errorf("merge = %v, want it to refuse", err)
	}
}
