package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// cost says what it costs to validate the largest HCL2 configuration: the time of the processor, of the program and of the kernel for it.
func (p program) cost(ctx context.Context, w io.Writer, entries []entry, runs int) error {
	e, size := largest(entries)
	if size == 0 {
		return nil
	}
	var all, worst time.Duration
	code := 0
	for range runs {
		r, err := p.run(ctx, e, p.imago, slices.Concat([]string{"validate"}, e.filled, []string{e.template})...)
		if err != nil {
			return err
		}
		code = r.code
		all, worst = all+r.cpu, max(worst, r.cpu)
	}
	_, err := fmt.Fprintf(w, "\nvalidate of the largest HCL2 configuration (%s, %d bytes, exit %d): %d ms of CPU on average of %d runs, %d ms at most\n",
		e.name(), size, code, (all / time.Duration(runs)).Milliseconds(), runs, worst.Milliseconds())
	return err
}

// largest is the HCL2 configuration with the most text.
func largest(entries []entry) (largest entry, size int64) {
	for _, e := range entries {
		if e.kind != "hcl" {
			continue
		}
		n := int64(0)
		for _, file := range e.files() {
			if info, err := os.Stat(file); err == nil {
				n += info.Size()
			}
		}
		if n > size {
			largest, size = e, n
		}
	}
	return largest, size
}
