package main

import (
	"fmt"
	"strings"
)

// scaleTrees are of small files that differ in number only.
func scaleTrees() []string { return []string{"scale1000", "scale10000", "scale100000"} }

// scale asks whether a file costs the same in a large tree as in a small one.
// The sizes take turns, on a link that adds nothing: what it adds to a large tree would hide.
func (b *bench) scale() ([]row, error) {
	var rows []row
	for _, name := range scaleTrees() {
		t, err := makeTree(b.trees, name)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{name: t.name, about: t.about(), round: "scale", tree: t, entries: []contender{
			b.imagoUpload(t, link{}), b.putUpload(t, link{}), b.tarUpload(t, link{}, "")}})
	}
	return rows, nil
}

// cost is what a file of a tree cost, in microseconds.
type cost struct {
	Row   string `json:"row"`
	Files int    `json:"files"`

	Whole   spread `json:"whole_us"`   // the process, with its connecting and all else that is there once
	Upload  spread `json:"upload_us"`  // from the connection on
	Bake    spread `json:"bake_us"`    // the same in a bake
	Further spread `json:"further_us"` // each file more than the next smaller tree has: nothing of what is there once
	Tar     spread `json:"tar_us"`     // whole

	// Against the smallest tree, turn by turn.
	WholeRatio  spread `json:"whole_ratio"`
	UploadRatio spread `json:"upload_ratio"`
	Memory      int64  `json:"memory_bytes"` // the largest process of any bake
}

// costs reads the rows of scale, in their order.
func costs(results []result) []cost {
	var all []cost
	var rows []result
	for _, r := range results {
		if r.row.round != "scale" || len(r.samples[imagoPut]) == 0 {
			continue
		}
		rows = append(rows, r)
		all = append(all, costOf(rows))
	}
	return all
}

// costOf is the last row's, among those before it.
func costOf(rows []result) cost {
	first, last := rows[0], rows[len(rows)-1]
	files := last.row.tree.files
	each := func(name string, value func(sample) float64) []float64 {
		return pick(last.samples[name], func(s sample) float64 { return value(s) / float64(files) * 1e6 })
	}
	against := func(value func(sample) float64) spread {
		return spreadOf(quotients(
			pick(last.samples[imagoPut], func(s sample) float64 { return value(s) / float64(files) }),
			pick(first.samples[imagoPut], func(s sample) float64 { return value(s) / float64(first.row.tree.files) })))
	}
	c := cost{Row: last.row.name, Files: files,
		Whole: spreadOf(each(imagoPut, wall)), Upload: spreadOf(each(imagoPut, uploadOnly)),
		Bake: spreadOf(each(imagoBake, seconds)), Tar: spreadOf(each(plainTar, wall)),
		WholeRatio: against(wall), UploadRatio: against(uploadOnly)}
	if len(rows) > 1 {
		c.Further = further(rows[len(rows)-2], last)
	}
	for _, s := range last.samples[imagoBake] {
		c.Memory = max(c.Memory, s.Largest)
	}
	return c
}

// further is what the files cost that the larger tree has and the smaller has not.
func further(small, large result) spread {
	var all []float64
	more := float64(large.row.tree.files - small.row.tree.files)
	s, l := small.samples[imagoPut], large.samples[imagoPut]
	for i := range min(len(s), len(l)) {
		all = append(all, (l[i].Upload-s[i].Upload)/more*1e6)
	}
	return spreadOf(all)
}

// costTable is Markdown.
func costTable(all []cost) string {
	if len(all) == 0 {
		return ""
	}
	var t strings.Builder
	t.WriteString("| microseconds per file | imago, connecting too | its upload alone | each further file | upload in a bake | tar \\| ssh tar | cost / smallest: whole | upload alone | largest process MiB |\n")
	t.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range all {
		fmt.Fprintf(&t, "| %d files | %.1f | %.1f | %s | %s | %s | %s | %s | %s |\n", c.Files, c.Whole.Median, c.Upload.Median,
			some("%.1f", c.Further.Median), some("%.1f", c.Bake.Median), some("%.1f", c.Tar.Median), ratioText(c.WholeRatio), ratioText(c.UploadRatio), some("%.1f", mib(float64(c.Memory))))
	}
	return t.String()
}
