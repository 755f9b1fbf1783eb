package builder

import (
	"time"
)

// Stage is a part of a build, in the order of the constants.
type Stage string

// The stages.
const (
	StagePlan    Stage = "plan"
	StageWait    Stage = "wait" // for another build of the same image
	StageLaunch  Stage = "launch"
	StageConnect Stage = "connect"
	StageStep    Stage = "provision"
	StageCapture Stage = "capture"
	StageCleanup Stage = "clean up"
)

// Event is something a build did. The set is closed: switch on the concrete type.
type Event interface{ event() }

// StageStarted says that a stage began; StageDone that it ended, and how long it took.
type StageStarted struct{ Stage Stage }

// StageDone says how long a stage took.
type StageDone struct {
	Stage Stage
	Took  time.Duration
	Err   error
}

// Note is a sentence for people: what was found, made, waited for or decided.
type Note struct {
	Text    string
	Warning bool
}

// Created says that a resource exists, before anybody waits for it.
type Created struct {
	Kind, ID string // such as "instance", "i-0abc…"
}

// StepStarted says that step Index of Count began.
type StepStarted struct {
	Index, Count int
	Title        string // such as "upload deploy/mailtube to /tmp/mailtube"
}

// Uploaded reports how far an upload or download is.
type Uploaded struct {
	Path              string
	Done, Total       int64 // bytes
	Files, TotalFiles int
}

// Line is one line a script wrote, without its line end.
type Line struct {
	Script string
	Stderr bool
	Text   string
}

// Waiting says that another build bakes the image, and how far it is: when the
// waiting begins, and when more is known.
type Waiting struct {
	Build    string // Plan.ID
	Holder   string // Builder.Holder
	Instance string // empty: there is none yet, or it has not been heard of
	Image    string // the same
	Since    time.Time
}

// ImageReady says that an image became available.
type ImageReady struct{ Region, ID string }

// Span says where a piece of a build's time went, when it is over. Spans of one
// build overlap: a stage holds its steps, and those what they wait for.
type Span struct {
	Kind  SpanKind
	Name  string // such as "launch", "i-0abc… running", "nginx.sh"
	Start time.Time
	Took  time.Duration
}

// SpanKind is what a piece of time was spent on.
type SpanKind string

// The kinds of spans: the parts of a build, and what they wait for.
const (
	SpanStage    SpanKind = "stage"
	SpanStep     SpanKind = "step"
	SpanAWS      SpanKind = "AWS"      // calls, and states that AWS takes its time for
	SpanSSH      SpanKind = "SSH"      // connecting
	SpanScript   SpanKind = "script"   // the template's own, there and here
	SpanTransfer SpanKind = "transfer" // uploads and downloads
	SpanLocal    SpanKind = "local"    // looking at the files to send
	SpanPause    SpanKind = "pause"    // that the template asks for
)

func (Span) event()         {}
func (StageStarted) event() {}
func (StageDone) event()    {}
func (Note) event()         {}
func (Created) event()      {}
func (StepStarted) event()  {}
func (Uploaded) event()     {}
func (Line) event()         {}
func (ImageReady) event()   {}
func (Waiting) event()      {}
