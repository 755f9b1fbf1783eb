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
	About     string   `json:"about,omitempty"`
	Link      string   `json:"link"`
	Contender string   `json:"contender"`
	Seconds   spread   `json:"seconds"`
	Ratio     *spread  `json:"imago_to_this,omitempty"`   // imago's time divided by this one's, turn by turn
	Ours      string   `json:"compared_with,omitempty"`   // which of imago's contenders
	OverIdle  *int64   `json:"over_idle_bytes,omitempty"` // the largest peak, less the size of the program when it waits
	Samples   []sample `json:"samples"`
}

// document is bench.json.
type document struct {
	Date    time.Time        `json:"date"`
	Machine string           `json:"machine"`
	Packer  string           `json:"packer"`
	OpenSSH string           `json:"openssh"`
	Command string           `json:"command"`
	Idle    map[string]int64 `json:"idle_bytes"` // the largest process of each program that has started and waits
	Lines   []line           `json:"lines"`
	Costs   []cost           `json:"cost_per_file,omitempty"`
	Missing []string         `json:"missing,omitempty"` // rows that did not come to their end, and why
}

// report prints the short table and writes bench.json, bench.md, bench.svg, and
// the README's part.
func (b *bench) report(results []result) error {
	d := b.document(results)
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	short := d.short()
	fmt.Print(short)
	errs := []error{
		os.WriteFile(filepath.Join(b.out, "bench.json"), append(text, '\n'), 0o644),
		os.WriteFile(filepath.Join(b.out, "bench.md"), []byte(d.long()), 0o644),
		os.WriteFile(filepath.Join(b.out, "bench.svg"), chart(d.Lines), 0o644),
	}
	if b.readme != "" {
		errs = append(errs, rewrite(b.readme, short))
	}
	for _, m := range d.Missing {
		errs = append(errs, errors.New(m))
	}
	return errors.Join(errs...)
}

func (b *bench) document(results []result) document {
	d := document{Date: time.Now(), Machine: machine(), Packer: firstLine(b.packer, "version"), OpenSSH: firstLine("ssh", "-V"),
		Command: b.command, Idle: b.idle, Costs: costs(results)}
	for _, r := range results {
		d.Lines = append(d.Lines, r.lines(b.idle)...)
		if r.problem != nil {
			d.Missing = append(d.Missing, fmt.Sprintf("%s, %s: %v", r.row.name, r.row.link, r.problem))
		}
	}
	return d
}

func (r result) lines(idle map[string]int64) []line {
	var all []line
	for _, c := range r.row.entries {
		samples := r.samples[c.name]
		if len(samples) == 0 {
			continue
		}
		l := line{Row: r.row.name, About: r.row.about, Link: r.row.link.String(), Contender: c.name, Samples: samples,
			Seconds: spreadOf(pick(samples, seconds))}
		if r.row.direct {
			l.Link = "direct"
		}
		if size, ok := idle[c.name]; ok {
			over := int64(spreadOf(pick(samples, largest)).Max) - size
			l.OverIdle = &over
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

// long is bench.md.
func (d document) long() string {
	text := d.head() + "\n" + table(d.Lines)
	if len(d.Costs) > 0 {
		text += "\n" + costTable(d.Costs)
	}
	return text + `
The seconds of imago and packer are of the part of a bake that the row is about; those of the others are of a whole
process, connecting too. A ratio is imago's time divided by this program's, turn by turn: the median, and the least and
the greatest. Memory is the largest size of the largest process; how much of it is over what the program takes when it has
started and waits; and the largest sum over all processes of a program at once (PSS, sampled). Sent are the bytes of the
SSH connection to the machine, as a relay counts them; at 0 ms there is none.
`
}

// table is Markdown.
func table(lines []line) string {
	var t strings.Builder
	t.WriteString("| row | link | program | median s | min..max | imago / this | largest process MiB | over idle MiB | all MiB | CPU s | sent MB | API calls | n |\n")
	t.WriteString("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, l := range lines {
		ratio, over := "", ""
		if l.Ratio != nil {
			ratio = ratioText(*l.Ratio)
		}
		if l.OverIdle != nil {
			over = fmt.Sprintf("%.1f", mib(float64(*l.OverIdle)))
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %.3f | %.3f..%.3f | %s | %s | %s | %s | %.2f | %s | %s | %d |\n",
			l.Row, l.Link, cell(l.Contender), l.Seconds.Median, l.Seconds.Min, l.Seconds.Max, ratio,
			some("%.1f", mib(spreadOf(pick(l.Samples, largest)).Max)), over,
			some("%.0f", mib(middle(l.Samples, func(s sample) float64 { return float64(s.Memory) }))),
			middle(l.Samples, func(s sample) float64 { return s.CPU }),
			some("%.1f", middle(l.Samples, func(s sample) float64 { return float64(s.Sent) })/1e6),
			some("%.0f", middle(l.Samples, calls)), len(l.Samples))
	}
	return t.String()
}

// cell is text as a table of Markdown takes it.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// some formats a value, and nothing where there is none.
func some(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

func calls(s sample) float64 {
	n := 0
	for _, c := range s.Calls {
		n += c
	}
	return float64(n)
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
