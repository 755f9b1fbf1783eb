package builder

import (
	"context"
	"io"
	"time"

	"github.com/imagobuild/imago/provision"
)

// Step is one thing done between connecting and capturing. The set is closed:
// Upload, Download, Run, Local and Pause.
type Step interface {
	// Common returns what all steps share.
	Common() StepOptions
}

// StepOptions are what a provisioner of any type may say.
type StepOptions struct {
	// Where names the place in the template, such as web.json:14, for messages. Optional.
	Where string

	PauseBefore time.Duration // before each try
	Timeout     time.Duration // of one try, pause included. Zero: none.
	MaxRetries  int           // further tries after the first
}

// Common returns o, so that embedding StepOptions makes a Step.
func (o StepOptions) Common() StepOptions { return o }

// Upload sends trees to the machine (the file provisioner).
type Upload struct {
	StepOptions
	Trees []provision.Tree

	// Generated trees are made by an earlier step, so that they are not looked at before it (generated).
	Generated bool

	// Late makes the step anew once the machine is there, for one that says something of it; the rest is then the same
	// with other facts. Optional, here and below.
	Late func(Facts) (Upload, error)
}

// Download fetches from the machine (the file provisioner with direction = download).
type Download struct {
	StepOptions
	Files []provision.Fetch
	Late  func(Facts) (Download, error)
}

// Run runs scripts on the machine, one after another (the shell provisioner).
type Run struct {
	StepOptions
	Scripts []provision.Script

	// Late makes the scripts once the machine is there, for those that say
	// something of it; Scripts are then the same without that. Optional.
	Late func(Facts) ([]provision.Script, error)

	PauseAfter time.Duration
}

// Local runs something on this side (shell-local). What it is stays with
// the caller; the library only gives it its place in the order.
type Local struct {
	StepOptions
	Name string

	// Text is what it does, as far as that is known: Resume sees by it that it is the same. Optional.
	Text string

	Do func(ctx context.Context, facts Facts, stdout, stderr io.Writer) error
}

// Pause waits: for a time (the sleep provisioner), or without one until
// Builder.Breakpoint returns (the breakpoint provisioner).
type Pause struct {
	StepOptions
	For  time.Duration
	Note string // what the user is told
	Late func(Facts) (Pause, error)
}

// Facts are what is known of a build once its machine is there: Packer's build variables.
type Facts struct {
	ID, Host, User string
	Port           int
	Region         string
	Source         SourceImage
	RunID          string // one for all builds of a run
	PrivateKeyFile string // empty unless one was given

	// PrivateKey and PublicKey are what we log in with, if it is a key; Password is one that was given.
	PrivateKey, PublicKey, Password string

	Agent bool // an SSH agent is used
}
