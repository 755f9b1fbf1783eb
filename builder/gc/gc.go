// Package gc takes away what builds left behind that did not live to do it
// themselves. What goes is decided by Plan, a function of what an account holds
// and of what journals say; a Collector looks, asks it, and acts. Like builder it
// prints nothing and knows no files.
package gc

import (
	"time"

	"github.com/imagobuild/imago/builder"
)

// The kinds of resources, builder's and those that come with them.
const (
	KeyPair  = builder.KindKeyPair
	Group    = builder.KindGroup
	Instance = builder.KindInstance
	Image    = builder.KindImage
	Profile  = builder.KindProfile
	Volume   = "volume"
	Snapshot = "snapshot"
)

// Resource is one thing in an account.
type Resource struct {
	Kind, ID, Region string

	Name  string // of a key pair, a group or an image
	State string // AWS's own word; empty for what has none
	Tags  map[string]string

	// Uses are the ids of what cannot go, or must not, as long as this is there: an
	// instance's volumes, groups and image, an image's snapshots.
	Uses []string
}

func (r Resource) String() string { return r.Kind + " " + r.ID }

// Build is what a journal says of one build.
type Build struct {
	ID     string
	State  State
	Why    string // the state in words, such as "process 7 is gone"; for people
	Things []Thing

	// Account is the one it worked in. Empty: nobody knows.
	Account string
}

// Thing is what a build has made, or was about to make when it last wrote.
type Thing struct {
	Kind, ID, Region string // ID is empty when nobody knows it
	Since            time.Time
}

// State is how a build stands.
type State int

// The states of builds. Of a build that no journal here speaks of, nothing is known.
const (
	Unknown State = iota // only its tags count
	Living               // nothing of it is touched
	Gone                 // everything of it goes
	Left                 // somebody wanted it to stay: it goes when its time has come
)

// Verdict is what becomes of a resource that a build made.
type Verdict struct {
	Resource
	Build  string
	Remove bool
	Why    string // for people
}
