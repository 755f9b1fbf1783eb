package builder

import (
	"time"
)

// Stage is a part of a build, in the order of the constants.
type Stage string

// The stages.
const (
	StagePlan    Stage = "plan"
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

// ImageReady says that an image became available.
type ImageReady struct{ Region, ID string }

func (StageStarted) event() {}
func (StageDone) event()    {}
func (Note) event()         {}
func (Created) event()      {}
func (StepStarted) event()  {}
func (Uploaded) event()     {}
func (Line) event()         {}
func (ImageReady) event()   {}
