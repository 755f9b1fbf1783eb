package main

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// judgeLines compares what inspect says: the same variables with the same
// defaults, the same builders, the same provisioners. Debian's packer says it of
// JSON; of HCL2 the index and the text of the template do.
func (p program) judgeLines(ctx context.Context, e entry) ([]verdict, error) {
	imago, err := p.run(ctx, e, p.imago, "inspect", "-machine-readable", e.template)
	if err != nil || imago.code != 0 {
		return nil, err
	}
	v := verdict{check: linesCheck}
	if e.kind == "hcl" {
		v.packer, v.imago = "the template (-) and what imago inspects (+):", cmp.Diff(e.outline(), outlineOf(inspected(imago.stdout)))
	} else {
		lines, err := p.packersLines(ctx, e)
		if err != nil || lines == nil {
			return nil, err
		}
		v.packer, v.imago = "Packer (-) and imago (+) inspect:", cmp.Diff(lines, inspected(imago.stdout))
	}
	v.agrees = v.imago == ""
	return []verdict{v}, nil
}

// packersLines is what Debian's packer inspects, if it is there and can read the template.
func (p program) packersLines(ctx context.Context, e entry) ([]string, error) {
	if _, err := os.Stat(p.packer); err != nil {
		return nil, nil
	}
	r, err := p.run(ctx, e, p.packer, "inspect", "-machine-readable", e.template)
	if err != nil || r.code != 0 {
		return nil, err
	}
	return inspected(r.stdout), nil
}

// inspected are the machine-readable lines about the template, without their
// times, in one order: Packer's own is another at each run.
func inspected(stdout string) (all []string) {
	for line := range strings.Lines(stdout) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), ",")
		if text, ok := strings.CutPrefix(text, ",template-"); ok {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}
