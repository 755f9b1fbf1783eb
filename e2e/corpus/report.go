package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// report counts verdicts by family and check, and keeps those that differ.
type report struct {
	all         bool // print those with a reason in full
	counts      map[[2]string]*count
	unexplained []difference
	explained   []difference
}

type count struct{ compared, agree, explained int }

// difference is a verdict on a template of which the two say something else.
type difference struct {
	entry
	verdict
}

func (r *report) add(e entry, v verdict) {
	if r.counts == nil {
		r.counts = map[[2]string]*count{}
	}
	for _, line := range []string{e.family(), "all"} {
		c := r.counts[[2]string{line, v.check}]
		if c == nil {
			c = &count{}
			r.counts[[2]string{line, v.check}] = c
		}
		c.compared++
		switch {
		case v.agrees:
			c.agree++
		case v.reason != "":
			c.explained++
		}
	}
	switch d := (difference{e, v}); {
	case v.agrees:
	case v.reason != "":
		r.explained = append(r.explained, d)
	default:
		r.unexplained = append(r.unexplained, d)
	}
}

// differs says whether something differs that nothing explains.
func (r *report) differs() bool { return len(r.unexplained) > 0 }

func (r *report) print(w io.Writer) {
	r.table(w)
	fmt.Fprintf(w, "\nDiffering for a reason: %d\n", len(r.explained))
	for _, d := range r.explained {
		fmt.Fprintf(w, "  %s, %s: %s\n", d.name(), d.check, d.reason)
		if r.all {
			fmt.Fprintf(w, "      %s\n      %s\n", d.packer, d.imago)
		}
	}
	fmt.Fprintf(w, "\nDiffering without a reason: %d\n", len(r.unexplained))
	for _, d := range r.unexplained {
		fmt.Fprintf(w, "  %s, %s (%s, %s)\n      %s\n      %s\n", d.name(), d.check, d.family(), d.repo, d.packer, d.imago)
	}
}

// table writes a line for each family: how many agree, + how many differ for a
// reason, of how many there is a verdict of Packer's.
func (r *report) table(w io.Writer) {
	columns := []string{}
	for _, c := range checks {
		columns = append(columns, c.name)
	}
	columns = append(columns, linesCheck)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "agreement\t")
	for _, c := range columns {
		fmt.Fprint(t, c, "\t")
	}
	fmt.Fprintln(t)
	for _, line := range append(families, "all") {
		fmt.Fprint(t, line, "\t")
		for _, c := range columns {
			fmt.Fprint(t, r.counts[[2]string{line, c}], "\t")
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

func (c *count) String() string {
	switch {
	case c == nil:
		return "-"
	case c.explained == 0:
		return fmt.Sprintf("%d/%d", c.agree, c.compared)
	default:
		return fmt.Sprintf("%d+%d/%d", c.agree, c.explained, c.compared)
	}
}
