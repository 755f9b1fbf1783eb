package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// line is one contender of one row, as the table and the JSON have it.
type line struct {
	Row       string   `json:"row"`
	Link      string   `json:"link"`
	Contender string   `json:"contender"`
	Seconds   spread   `json:"seconds"`
	Ratio     *spread  `json:"imago_to_this,omitempty"` // imago's time divided by this one's, turn by turn
	Ours      string   `json:"compared_with,omitempty"` // which of imago's contenders
	Samples   []sample `json:"samples"`
}

// document is bench.json.
type document struct {
	Date    time.Time `json:"date"`
	Machine string    `json:"machine"`
	Packer  string    `json:"packer"`
	OpenSSH string    `json:"openssh"`
	Lines   []line    `json:"lines"`
	Missing []string  `json:"missing,omitempty"` // rows that did not come to their end, and why
}

// report prints the table and writes bench.json and bench.svg.
func (b *bench) report(results []result) error {
	d := b.document(results)
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	fmt.Printf("%s, %s; Packer %s; %s\n\n%s", d.Date.Format("2006-01-02"), d.Machine, d.Packer, d.OpenSSH, table(d.Lines))
	errs := []error{
		os.WriteFile(filepath.Join(b.out, "bench.json"), append(text, '\n'), 0o644),
		os.WriteFile(filepath.Join(b.out, "bench.svg"), chart(d.Lines), 0o644),
	}
	for _, m := range d.Missing {
		errs = append(errs, errors.New(m))
	}
	return errors.Join(errs...)
}

func (b *bench) document(results []result) document {
	d := document{Date: time.Now(), Machine: machine(), Packer: firstLine(b.packer, "version"), OpenSSH: firstLine("ssh", "-V")}
	for _, r := range results {
		d.Lines = append(d.Lines, r.lines()...)
		if r.problem != nil {
			d.Missing = append(d.Missing, fmt.Sprintf("%s, %s: %v", r.row.name, r.row.link, r.problem))
		}
	}
	return d
}

func (r result) lines() []line {
	var all []line
	for _, c := range r.row.entries {
		samples := r.samples[c.name]
		if len(samples) == 0 {
			continue
		}
		l := line{Row: r.row.name, Link: r.row.link.String(), Contender: c.name, Samples: samples,
			Seconds: spreadOf(pick(samples, func(s sample) float64 { return s.Seconds }))}
		if r.row.direct {
			l.Link = "direct"
		}
		ours := imagoBake
		if c.uploads {
			ours = imagoPut
		}
		if c.name != ours {
			if q := ratios(r.samples[ours], samples); len(q) > 0 {
				s := spreadOf(q)
				l.Ratio, l.Ours = &s, ours
			}
		}
		all = append(all, l)
	}
	return all
}

// table is Markdown.
func table(lines []line) string {
	var t strings.Builder
	t.WriteString("| row | link | program | median s | min..max | imago / this | largest process MiB | all MiB | CPU s | sent MB | API calls | n |\n")
	t.WriteString("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, l := range lines {
		middle := func(value func(sample) float64) float64 { return spreadOf(pick(l.Samples, value)).Median }
		ratio := ""
		if l.Ratio != nil {
			ratio = fmt.Sprintf("%.2f (%.2f..%.2f)", l.Ratio.Median, l.Ratio.Min, l.Ratio.Max)
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %.3f | %.3f..%.3f | %s | %s | %s | %.2f | %s | %s | %d |\n",
			l.Row, l.Link, strings.ReplaceAll(l.Contender, "|", `\|`), l.Seconds.Median, l.Seconds.Min, l.Seconds.Max, ratio,
			some("%.0f", middle(func(s sample) float64 { return float64(s.Largest) / (1 << 20) })),
			some("%.0f", middle(func(s sample) float64 { return float64(s.Memory) / (1 << 20) })),
			middle(func(s sample) float64 { return s.CPU }),
			some("%.1f", middle(func(s sample) float64 { return float64(s.Sent) / 1e6 })),
			some("%.0f", middle(func(s sample) float64 { return float64(calls(s)) })), len(l.Samples))
	}
	return t.String()
}

// some formats a value, and nothing where there is none.
func some(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

func calls(s sample) int {
	n := 0
	for _, c := range s.Calls {
		n += c
	}
	return n
}

func machine() string {
	kernel := firstLine("uname", "-sr")
	return fmt.Sprintf("%s, %d CPUs, %s", kernel, runtime.NumCPU(), memory())
}

func memory() string {
	return fmt.Sprintf("%.0f GiB", float64(field("/proc/meminfo", "MemTotal:"))/(1<<30))
}

// firstLine is what a program says of itself.
func firstLine(name string, args ...string) string {
	out, _ := exec.Command(name, args...).CombinedOutput()
	text, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimPrefix(text, "Packer v")
}
