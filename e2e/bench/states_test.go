package main

import (
	"testing"
	"time"
)

// TestStatesRows: the id and the end are counted from when the states alone would
// have been there, and the id is the line that says the image can be used.
func TestStatesRows(t *testing.T) {
	began := time.Now()
	line := func(second float64, text string) stampedLine { return stampedLine{duration(second), text} }
	all := &baked{states: states{7, 7, 7, 7}}
	for name, test := range map[string]struct {
		bake    sample
		id, end float64
	}{
		imagoBake: {sample{Wall: 31.5, began: began, terminated: began.Add(duration(24)), lines: []stampedLine{
			line(16, "    amazon-ebs: created image ami-0123"), line(23.5, "ami-0123"), line(31.4, "    us-east-1: ami-0123"),
		}}, 2.5, 0.5},
		packerBake: {sample{Wall: 60, began: began, terminated: began.Add(duration(45)), lines: []stampedLine{
			line(39, "==> amazon-ebs: AMI: ami-0456"), line(59.5, "us-east-1: ami-0456"),
		}}, 38.5, 8},
	} {
		id, err := all.idLate(test.bake)
		if err != nil || id != duration(test.id) {
			t.Errorf("%s: the id is %v late (%v), want %v s", name, id, err, test.id)
		}
		if end, _ := all.endLate(test.bake); end != duration(test.end) {
			t.Errorf("%s: the end is %v late, want %v s", name, end, test.end)
		}
	}
}
