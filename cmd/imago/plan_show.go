package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
)

// showPlans writes the plans for people.
func (s *session) showPlans(all []planned) error {
	for i, p := range all {
		text := p.text()
		if i > 0 {
			text = "\n" + text
		}
		if _, err := fmt.Fprint(s.stdout, s.secrets.Clean(text)); err != nil {
			return err
		}
	}
	return nil
}

// text describes a plan.
func (p planned) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s\n", nameAndType(p.build.Name, p.build.Type), p.plan.Config.Region)
	for _, part := range p.plan.Parts {
		title := part.Title
		if title == "source image "+p.plan.Source.ID {
			title += " (" + p.plan.Source.Name + ")"
		}
		fmt.Fprintf(&b, "  %.12s  %s\n", part.Digest, title)
	}
	for _, n := range p.notes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	if p.below == "" {
		fmt.Fprintf(&b, "  fingerprint: %s\n", cmp.Or(p.plan.Fingerprint, "none"))
	}
	p.outcome(&b)
	return b.String()
}

// outcome says what becomes of it.
func (p planned) outcome(b *strings.Builder) {
	if r := p.plan.Reuse; r != nil {
		fmt.Fprintf(b, "reuse %s (%s, made %s): no bake\n", r.ID, r.Name, when(r.Created))
		for _, region := range slices.Sorted(maps.Keys(r.Copies)) {
			fmt.Fprintf(b, "  its copy in %s: %s\n", region, r.Copies[region])
		}
		for _, region := range r.Missing {
			fmt.Fprintf(b, "  to be copied to %s\n", region)
		}
		return
	}
	for _, reason := range p.reasons() {
		fmt.Fprintf(b, "bake: %s\n", reason)
	}
	if p.since == nil {
		return
	}
	fmt.Fprintf(b, "since %s (%s, made %s):\n", p.since.ID, p.since.Name, when(p.since.Created))
	for _, c := range p.since.Changes {
		fmt.Fprintf(b, "  %s\n", c)
	}
	if len(p.since.Changes) == 0 {
		fmt.Fprintln(b, "  nothing has changed")
	}
	if p.since.Rough {
		fmt.Fprintln(b, "  (it was not made on this computer, or long ago: which file or variable is not known)")
	}
}

// The elements of plan --json's object.
type (
	planJSON struct {
		Build       string         `json:"build"`
		Type        string         `json:"type"`
		Region      string         `json:"region"`
		Name        string         `json:"name"`
		SourceID    string         `json:"source_id"`
		Notes       []string       `json:"notes,omitempty"`
		Parts       []builder.Part `json:"parts"`
		Fingerprint string         `json:"fingerprint,omitempty"`
		Action      string         `json:"action"`
		Reasons     []string       `json:"reasons,omitempty"`
		Reuse       *reuseJSON     `json:"reuse,omitempty"`
		Since       *sinceJSON     `json:"since,omitempty"`
	}
	reuseJSON struct {
		ID      string            `json:"id"`
		Name    string            `json:"name"`
		Created time.Time         `json:"created"`
		Copies  map[string]string `json:"copies,omitempty"`
		Missing []string          `json:"missing,omitempty"`
	}
	sinceJSON struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"`
		Created time.Time `json:"created"`
		Changes []string  `json:"changes"`
		Rough   bool      `json:"rough"`
	}
)

// showPlansJSON writes the plans as one object.
func (s *session) showPlansJSON(all []planned) error {
	out := struct {
		Builds []planJSON `json:"builds"`
	}{[]planJSON{}}
	for _, p := range all {
		out.Builds = append(out.Builds, p.json(s.secrets.Clean))
	}
	return writeJSON(s.stdout, out)
}

func (p planned) json(clean func(string) string) planJSON {
	j := planJSON{
		Build: p.build.Name, Type: p.build.Type, Region: p.plan.Config.Region, Name: clean(p.plan.Config.Output.Name),
		SourceID: p.plan.Source.ID, Notes: p.notes, Parts: append([]builder.Part{}, p.plan.Parts...), Fingerprint: p.plan.Fingerprint, Action: p.action(),
	}
	if r := p.plan.Reuse; r != nil {
		j.Reuse = &reuseJSON{r.ID, r.Name, r.Created, r.Copies, r.Missing}
		return j
	}
	for _, reason := range p.reasons() {
		j.Reasons = append(j.Reasons, clean(reason))
	}
	if s := p.since; s != nil {
		j.Since = &sinceJSON{s.ID, s.Name, s.Created, []string{}, s.Rough}
		for _, c := range s.Changes {
			j.Since.Changes = append(j.Since.Changes, clean(c))
		}
	}
	return j
}
