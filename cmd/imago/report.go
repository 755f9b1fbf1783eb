package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
)

// builderID names the builder in Packer's machine-readable lines; tools look for it.
const builderID = "mitchellh.amazonebs"

// report writes the result to stdout, and a summary in Packer's words to stderr.
func (s *session) report(results []result, o buildOptions, runID string) error {
	if o.readable {
		return s.reportMachine(results)
	}
	s.summarize(results)
	if o.json {
		return s.reportAsJSON(results, runID)
	}
	var errs []error
	for _, r := range results {
		if r.image.ID != "" && !r.printed {
			_, err := fmt.Fprintln(s.stdout, r.image.ID)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// summarize says what was made, as people and scripts know it from Packer.
func (s *session) summarize(results []result) {
	for _, r := range results {
		if r.image.ID != "" {
			s.say("--> %s: %s", r.build.Name, strings.TrimRight(imageText(r.image), "\n"))
		}
	}
}

// imageText describes an image and its copies.
func imageText(img builder.Image) string {
	text := "AMIs were created:\n"
	for _, id := range regionIDs(img) {
		text += strings.Replace(id, ":", ": ", 1) + "\n"
	}
	return text
}

// regionIDs lists REGION:ID of an image and its copies, by region.
func regionIDs(img builder.Image) []string {
	all := maps.Clone(img.Copies)
	if all == nil {
		all = map[string]string{}
	}
	all[img.Region] = img.ID
	var ids []string
	for _, region := range slices.Sorted(maps.Keys(all)) {
		ids = append(ids, region+":"+all[region])
	}
	return ids
}

// artifacts are what a build made: its image, and the files of post-processors.
func (r result) artifacts() []artifact {
	if r.image.ID == "" {
		return nil
	}
	return append([]artifact{imageArtifact(r.image)}, r.made...)
}

// lines are the data of an artifact's machine-readable lines.
func (a artifact) lines() [][]string {
	all := [][]string{{"builder-id", a.kind}, {"id", a.id}, {"string", a.text}, {"files-count", fmt.Sprint(len(a.files))}}
	for i, f := range a.files {
		all = append(all, []string{"file", fmt.Sprint(i), f})
	}
	return append(all, []string{"end"})
}

// reportMachine writes the errors and artifacts as Packer's lines.
func (s *session) reportMachine(results []result) error {
	m := s.machine()
	var errs []error
	line := func(target, kind string, data ...string) { errs = append(errs, m.line(target, kind, data...)) }

	var failed []result
	for _, r := range results {
		if r.err != nil {
			failed = append(failed, r)
		}
	}
	if len(failed) > 0 {
		line("", "error-count", fmt.Sprint(len(failed)))
	}
	for _, r := range failed {
		line(r.build.Name, "error", r.err.Error())
	}
	made := false
	for _, r := range results {
		made = made || r.image.ID != ""
	}
	if !made {
		line("", "ui", "say", "\n==> Builds finished but no artifacts were created.")
		return errors.Join(errs...)
	}
	line("", "ui", "say", "\n==> Builds finished. The artifacts of successful builds are:")
	for _, r := range results {
		artifacts := r.artifacts()
		if len(artifacts) > 0 {
			line(r.build.Name, "artifact-count", fmt.Sprint(len(artifacts)))
		}
		for i, a := range artifacts {
			for _, f := range a.lines() {
				line(r.build.Name, "artifact", append([]string{fmt.Sprint(i)}, f...)...)
			}
			line("", "ui", "say", "--> "+r.build.Name+": "+a.text)
		}
	}
	return errors.Join(errs...)
}

// builtJSON and errorJSON are the elements of --json's object.
type (
	builtJSON struct {
		Build     string            `json:"build"`
		Type      string            `json:"type"`
		ID        string            `json:"id"`
		Region    string            `json:"region"`
		Name      string            `json:"name"`
		Copies    map[string]string `json:"copies,omitempty"` // region to id
		Snapshots []string          `json:"snapshots"`
		SourceID  string            `json:"source_id"`

		Fingerprint string `json:"fingerprint,omitempty"`
		Reused      bool   `json:"reused"`

		Seconds float64 `json:"seconds"`
		Waited  float64 `json:"waited_seconds,omitempty"` // of those, for another build of the same
	}
	errorJSON struct {
		Build   string `json:"build"`
		Message string `json:"message"`
	}
)

// reportJSON is the run, the images in the template's order, and what went wrong.
type reportJSON struct {
	RunID  string      `json:"run_id"`
	Images []builtJSON `json:"images"`
	Errors []errorJSON `json:"errors"`
}

// reportAsJSON writes it as one object.
func (s *session) reportAsJSON(results []result, runID string) error {
	return writeJSON(s.stdout, s.jsonOf(results, runID))
}

func (s *session) jsonOf(results []result, runID string) reportJSON {
	out := reportJSON{RunID: runID, Images: []builtJSON{}, Errors: []errorJSON{}}
	for _, r := range results {
		if r.image.ID != "" {
			out.Images = append(out.Images, builtJSON{
				Build: s.secrets.Clean(r.build.Name), Type: r.build.Type,
				ID: r.image.ID, Region: r.image.Region, Name: s.secrets.Clean(r.image.Name),
				Copies: r.image.Copies, Snapshots: append([]string{}, r.image.Snapshots...), SourceID: r.image.Source.ID,
				Fingerprint: r.image.Fingerprint, Reused: r.image.Reused,
				Seconds: seconds(r.image.Took), Waited: seconds(r.image.Waited),
			})
		}
		for _, p := range problems(r.err) {
			out.Errors = append(out.Errors, errorJSON{s.secrets.Clean(r.build.Name), s.secrets.Clean(p)})
		}
	}
	return out
}

func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}
