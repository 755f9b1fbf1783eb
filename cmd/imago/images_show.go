package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/retention"
)

// listedJSON is one image in JSON.
type listedJSON struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Region       string     `json:"region"`
	Application  string     `json:"application,omitempty"`
	Image        string     `json:"image,omitempty"` // the tag's value, or the name's stem
	Environments []string   `json:"environments"`
	Fingerprint  string     `json:"fingerprint,omitempty"`
	State        string     `json:"state"`
	Created      *time.Time `json:"created,omitempty"` // of a pending image nobody knows it
	SizeGiB      int        `json:"size_gib"`
	Snapshots    []string   `json:"snapshots"`
	Parents      []string   `json:"parents"`
	UsedBy       []useJSON  `json:"used_by"`
	Why          string     `json:"why,omitempty"` // it stays, or goes
}

// useJSON is one use of an image.
type useJSON struct {
	By      string `json:"by"`
	Release string `json:"release,omitempty"`
}

func toImageJSON(d retention.Decision, why string) listedJSON {
	j := listedJSON{
		ID: d.ID, Name: d.Name, Region: d.Region, Application: d.Series[0].Application, Image: d.Series[0].Image,
		Environments: append([]string{}, builder.Environments(d.Tags[builder.TagEnvironment])...), Fingerprint: d.Tags[builder.TagFingerprint],
		State: d.State, SizeGiB: d.Size, Snapshots: append([]string{}, d.Snapshots...), Parents: append([]string{}, d.Parents...),
		UsedBy: []useJSON{}, Why: why,
	}
	if !d.Created.IsZero() {
		j.Created = &d.Created
	}
	for _, u := range d.Uses {
		j.UsedBy = append(j.UsedBy, useJSON{u.By, u.Release})
	}
	return j
}

// imagesJSON writes one object.
func (s *session) imagesJSON(all []retention.Decision) error {
	images := []listedJSON{}
	for _, d := range all {
		images = append(images, toImageJSON(d, ""))
	}
	return writeJSON(s.stdout, struct {
		Images []listedJSON `json:"images"`
	}{images})
}

// imagesTable writes a line an image.
func (s *session) imagesTable(all []retention.Decision, regions bool) error {
	if len(all) == 0 {
		s.say("imago: there are no such images")
		return nil
	}
	rows := [][]string{{"ID", "NAME", "APPLICATION", "IMAGE", "ENVIRONMENT", "FINGERPRINT", "AGE", "SIZE", "IN USE BY"}}
	for _, d := range all {
		fingerprint := d.Tags[builder.TagFingerprint]
		rows = append(rows, []string{
			d.ID, d.Name, dash(d.Series[0].Application), d.Series[0].Image, dash(d.Tags[builder.TagEnvironment]),
			dash(fingerprint[:min(12, len(fingerprint))]), since(d.Created), fmt.Sprintf("%d GiB", d.Size), needs(d),
		})
	}
	if regions {
		rows[0] = append([]string{"REGION"}, rows[0]...)
		for i, d := range all {
			rows[i+1] = append([]string{d.Region}, rows[i+1]...)
		}
	}
	return table(tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0), rows)
}

// dash stands where there is nothing.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// since is how old something is, in the largest unit that says enough.
func since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	switch d := time.Since(t); {
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// shownUses is for how many uses of an image a line has room.
const shownUses = 2

// needs says what an image is in use by, or what else there is to know of it.
func needs(d retention.Decision) string {
	var all []string
	if d.State != "available" {
		all = append(all, "("+d.State+")")
	}
	for i, u := range d.Uses {
		if i == shownUses {
			all = append(all, fmt.Sprintf("and %d more", len(d.Uses)-i))
			break
		}
		text := u.By
		if u.Release != "" {
			text = strings.TrimPrefix(u.Release, "the ") + ", by " + text
		}
		all = append(all, text)
	}
	return dash(strings.Join(all, "; "))
}
