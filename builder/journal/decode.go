package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
)

// Decode reads a journal. A last line without an end was being written when
// the builder was killed: what it was about to do was not done. Of a damaged
// journal it returns what can be read, and an error.
func Decode(data []byte) (h Header, records []builder.Record, err error) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines = lines[:len(lines)-1] // empty, or torn
	if len(lines) == 0 {
		return Header{}, nil, errors.New("no header")
	}
	if err := json.Unmarshal(lines[0], &h); err != nil || h.Build == "" {
		return Header{}, nil, errors.New("line 1 is no header")
	}
	if h.Version != 1 {
		return Header{}, nil, fmt.Errorf("written by another imago (version %d)", h.Version)
	}
	var errs []error
	for i, line := range lines[1:] {
		var r builder.Record
		if err := json.Unmarshal(line, &r); err != nil || r.Build != h.Build {
			errs = append(errs, fmt.Errorf("line %d is no record", i+2))
			continue
		}
		records = append(records, r)
	}
	return h, records, errors.Join(errs...)
}

// things are what records leave in the account, as far as they say.
func things(records []builder.Record) (all []gc.Thing) {
	type name struct{ kind, region, name string }
	place := map[name]int{} // in all, from 1
	for _, r := range records {
		key := name{r.Kind, r.Region, r.Name}
		i := place[key]
		switch r.Act {
		case builder.Making, builder.Made:
			if i == 0 {
				all = append(all, gc.Thing{})
				i = len(all)
				place[key] = i
			}
			all[i-1] = gc.Thing{Kind: r.Kind, ID: r.ID, Region: r.Region, Since: r.Time}
		case builder.Gone, builder.Kept:
			if i > 0 {
				all[i-1] = gc.Thing{}
				delete(place, key)
			}
		}
	}
	kept := all[:0]
	for _, t := range all {
		if t != (gc.Thing{}) {
			kept = append(kept, t)
		}
	}
	return kept
}
