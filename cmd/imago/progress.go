package main

import (
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder"
)

// progress is how far one build is: what its events have said so far.
type progress struct {
	name   string
	began  time.Time
	stage  builder.Stage
	since  time.Time // of the stage, or of the step within it
	step   builder.StepStarted
	upload builder.Uploaded
	sent   bool // the upload's last line is out
	spans  []builder.Span
}

// learn takes an event in and returns the lines to show for it.
func (p *progress) learn(e builder.Event, now time.Time) []line {
	switch e := e.(type) {
	case builder.StageStarted:
		p.stage, p.since, p.step = e.Stage, now, builder.StepStarted{}
		if e.Stage != builder.StageStep { // its steps say more
			return []line{{p.name, heading, string(e.Stage)}}
		}
	case builder.Span:
		p.spans = append(p.spans, e)
	case builder.StepStarted:
		p.step, p.since, p.upload, p.sent = e, now, builder.Uploaded{}, false
		return []line{{p.name, heading, p.doing()}}
	case builder.Uploaded:
		return p.learnUpload(e, now)
	case builder.Line:
		return []line{{p.name, output, e.Text}}
	case builder.Note:
		if e.Warning {
			return []line{{p.name, warning, e.Text}}
		}
		return []line{{p.name, detail, e.Text}}
	case builder.Created:
		return []line{{p.name, detail, "created " + e.Kind + " " + e.ID}}
	case builder.Waiting:
		return []line{{p.name, detail, waitingFor(e, now)}}
	case builder.ImageReady:
		return []line{{p.name, detail, e.ID + " is available in " + e.Region}}
	}
	return nil
}

// learnUpload keeps how far an upload is, and says so once, at its end.
func (p *progress) learnUpload(e builder.Uploaded, now time.Time) []line {
	p.upload = e
	if p.sent || e.Done < e.Total || e.Files < e.TotalFiles {
		return nil
	}
	p.sent = true
	text := fmt.Sprintf("%s, %s in %s%s", plural(e.TotalFiles, "file"), size(e.Total), took(now.Sub(p.since)), p.speed(now))
	return []line{{p.name, detail, text}}
}

// speed is the mean rate of the current upload, once there is enough to tell.
func (p *progress) speed(now time.Time) string {
	d := now.Sub(p.since).Seconds()
	if d < 0.1 {
		return ""
	}
	return fmt.Sprintf(" (%s/s)", size(int64(float64(p.upload.Done)/d)))
}

// doing says in a few words what the build is at.
func (p *progress) doing() string {
	if p.stage == builder.StageStep && p.step.Title != "" {
		return fmt.Sprintf("%s %d/%d: %s", p.stage, p.step.Index+1, p.step.Count, p.step.Title)
	}
	return string(p.stage)
}

// status is doing, with how long and how far.
func (p *progress) status(now time.Time) string {
	text := p.doing() + ", " + now.Sub(p.since).Truncate(time.Second).String()
	if p.sending() {
		text += fmt.Sprintf(", %s of %s%s", size(p.upload.Done), size(p.upload.Total), p.speed(now))
	}
	return text
}

// sending says whether an upload is under way.
func (p *progress) sending() bool { return p.upload.Total > 0 && !p.sent }
