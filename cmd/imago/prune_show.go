package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/imagobuild/imago/builder/journal"
	"github.com/imagobuild/imago/builder/retention"
)

// pruner makes one that tells the user what it does.
func (s *session) pruner(ctx context.Context, o pruneOptions) (*retention.Pruner, error) {
	clients, err := s.reach(ctx, journal.Via{Local: o.local, Profile: o.profile}, o.regions)
	if err != nil {
		return nil, err
	}
	return &retention.Pruner{
		InRegion: clients.retention, Regions: clients.regions(o.regions), Policy: o.choose,
		OnImage: func(d retention.Decision, err error) {
			switch {
			case d.Remove:
				s.say("imago: removed %s (%s) in %s: %s", d.ID, d.Name, d.Region, d.Why)
			case d.Spared:
				s.say("imago: %s (%s) in %s stays after all: %s", d.ID, d.Name, d.Region, d.Why)
			}
		},
	}, nil
}

// printPruned writes the result: the ids of the images that went, or one JSON
// object; of a plan, a line an image.
func (s *session) printPruned(o pruneOptions, r retention.Result, err error) error {
	if !o.json && err == nil {
		s.sayNothing(r)
	}
	switch {
	case o.json:
		return s.prunedJSON(o, r, err)
	case o.plan:
		return table(tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0), prunedRows(r))
	}
	for _, s1 := range r.Orphans {
		s.say("imago: removed %s in %s: an earlier prune has left it when %s went", s1.ID, s1.Region, s1.Image)
	}
	for _, d := range r.Decisions {
		if d.Remove {
			if _, err := fmt.Fprintln(s.stdout, d.ID); err != nil {
				return err
			}
		} else if o.kept {
			s.say("imago: kept %s (%s) in %s, of %s: %s", d.ID, d.Name, d.Region, seriesText(d), d.Why)
		}
	}
	return nil
}

// sayNothing says why there is no result, if there is none.
func (s *session) sayNothing(r retention.Result) {
	switch {
	case len(r.Decisions)+len(r.Orphans) == 0:
		s.say("imago: there are no such images")
	case len(retention.Removed(r.Decisions))+len(r.Orphans) == 0:
		s.say("imago: of %s there is none to take away", plural(len(r.Decisions), "image"))
	}
}

// prunedRows are decisions as lines of a table, and the snapshots after them.
func prunedRows(r retention.Result) (rows [][]string) {
	for _, d := range r.Decisions {
		what := "keep"
		if d.Remove {
			what = "remove"
		}
		rows = append(rows, []string{what, "image", d.ID, d.Region, seriesText(d), d.Name, since(d.Created), d.Why})
	}
	for _, s := range r.Orphans {
		rows = append(rows, []string{"remove", "snapshot", s.ID, s.Region, "-", "-", "-", "an earlier prune has left it when " + s.Image + " went"})
	}
	return rows
}

// seriesText is what an image is, and in which environments.
func seriesText(d retention.Decision) string {
	text := d.Series[0].String()
	for _, s := range d.Series[1:] {
		text += ", " + s.Environment
	}
	return text
}

// snapshotJSON is one snapshot in prune's JSON.
type snapshotJSON struct {
	ID     string `json:"id"`
	Region string `json:"region"`
	Image  string `json:"image"`
}

// prunedJSON writes one object. Without --plan, remove and snapshots are what was removed.
func (s *session) prunedJSON(o pruneOptions, r retention.Result, err error) error {
	out := struct {
		Plan      bool           `json:"plan"`
		Remove    []listedJSON   `json:"remove"`
		Keep      []listedJSON   `json:"keep"`
		Snapshots []snapshotJSON `json:"snapshots"` // that an earlier prune has left
		Errors    []string       `json:"errors"`
	}{o.plan, []listedJSON{}, []listedJSON{}, []snapshotJSON{}, append([]string{}, problems(err)...)}
	for _, d := range r.Decisions {
		list := &out.Keep
		if d.Remove {
			list = &out.Remove
		}
		*list = append(*list, toImageJSON(d, d.Why))
	}
	for _, x := range r.Orphans {
		out.Snapshots = append(out.Snapshots, snapshotJSON{x.ID, x.Region, x.Image})
	}
	return writeJSON(s.stdout, out)
}
