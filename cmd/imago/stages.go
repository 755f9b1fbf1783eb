package main

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imagobuild/imago/builder"
)

// waits are the columns of the table of stages: what a stage's time was spent on.
func waits() []builder.SpanKind {
	return []builder.SpanKind{builder.SpanAWS, builder.SpanSSH, builder.SpanScript, builder.SpanTransfer}
}

// stageTable says where a build's time went: a line for each stage with its wall
// time, and how much of that went into each kind of wait. What overlaps counts once.
func stageTable(spans []builder.Span) []string {
	var stages []builder.Span
	for _, s := range spans {
		if s.Kind == builder.SpanStage {
			stages = append(stages, s)
		}
	}
	if len(stages) == 0 {
		return nil
	}
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	header := []string{"stage", "wall"}
	for _, k := range waits() {
		header = append(header, string(k))
	}
	rows := [][]string{header}
	for _, s := range stages {
		rows = append(rows, stageRow(s.Name, []builder.Span{s}, spans))
	}
	rows = append(rows, stageRow("all", stages, spans))
	for _, r := range rows {
		r[0] = r[0] + strings.Repeat(" ", len(builder.StageStep)-min(len(r[0]), len(builder.StageStep))) // the only column that is left-aligned
		w.Write([]byte(strings.Join(r, "\t") + "\t\n"))
	}
	w.Flush()
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ") // the first column's padding
	}
	return lines
}

// stageRow is one line of the table.
func stageRow(name string, stages, spans []builder.Span) []string {
	wall := time.Duration(0)
	for _, s := range stages {
		wall += s.Took
	}
	row := []string{name, took(wall)}
	for _, kind := range waits() {
		spent := time.Duration(0)
		for _, s := range stages {
			spent += spentOn(kind, s, spans)
		}
		if spent < 50*time.Millisecond {
			row = append(row, "-")
		} else {
			row = append(row, took(spent))
		}
	}
	return row
}

// spentOn is how much of a stage's time at least one span of a kind covers.
func spentOn(kind builder.SpanKind, stage builder.Span, spans []builder.Span) (sum time.Duration) {
	of := slices.DeleteFunc(slices.Clone(spans), func(s builder.Span) bool { return s.Kind != kind })
	slices.SortFunc(of, func(a, b builder.Span) int { return a.Start.Compare(b.Start) })
	from, end := stage.Start, stage.Start.Add(stage.Took)
	for _, s := range of {
		a, b := later(s.Start, from), s.Start.Add(s.Took)
		if b.After(end) {
			b = end
		}
		if b.After(a) {
			sum += b.Sub(a)
			from = b
		}
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lanes puts spans in as few rows as possible, none over another: stages first,
// then steps, then the rest.
func lanes(spans []builder.Span) (rows [][]builder.Span) {
	rank := map[builder.SpanKind]int{builder.SpanStage: -2, builder.SpanStep: -1}
	sorted := slices.Clone(spans)
	slices.SortStableFunc(sorted, func(a, b builder.Span) int {
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), a.Start.Compare(b.Start))
	})
	for _, s := range sorted {
		free := func(row []builder.Span) bool {
			last := row[len(row)-1]
			return rank[last.Kind] == rank[s.Kind] && !last.Start.Add(last.Took).After(s.Start)
		}
		if i := slices.IndexFunc(rows, free); i >= 0 {
			rows[i] = append(rows[i], s)
		} else {
			rows = append(rows, []builder.Span{s})
		}
	}
	return rows
}
