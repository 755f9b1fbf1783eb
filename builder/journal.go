package builder

import "time"

// Journal is told what builds make, for those who take it away when a build
// cannot. It is not an event: a build waits for it, and makes nothing that it
// could not record.
type Journal interface {
	// Record returns when the record would survive the end of this process.
	// Several builds may call it at once.
	Record(Record) error
}

// Record is one sentence of a journal: this build does that to this thing.
type Record struct {
	Build  string    `json:"build"` // Plan.ID
	Time   time.Time `json:"time"`
	Act    Act       `json:"act"`
	Kind   string    `json:"kind,omitempty"` // such as KindInstance; empty when the record is of the whole build
	Region string    `json:"region,omitempty"`

	// Name is what the thing is found by before its id is known: its name or,
	// of an instance, its client token. ID is empty until then.
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`

	Account string `json:"account,omitempty"` // that it is in, where AWS says it

	// Config and Inputs are in a record that says what a build is of: Config.Name,
	// and a hash of what goes into the image.
	Config string `json:"config,omitempty"`
	Inputs string `json:"inputs,omitempty"`
}

// Act is what a Record says of a thing, or of a build.
type Act string

// Begun says what a build is of: its Config, Inputs and Region, and by Name the
// image that it is to make. It comes before all else.
const Begun Act = "begun"

// What a build does to a thing.
const (
	Making Act = "making" // AWS is about to be asked for it
	Made   Act = "made"   // it exists, and has an id
	Gone   Act = "gone"   // it was taken back
	Kept   Act = "kept"   // it is a result of the build
)

// How a build ends; without one of these it was ended by others.
const (
	Ended  Act = "ended"  // nothing is left but what was kept
	Leaked Act = "leaked" // something could not be taken back
	Left   Act = "left"   // somebody wanted it to stay as it was
)

// The kinds of things that builds make.
const (
	KindKeyPair  = "key pair"
	KindGroup    = "security group"
	KindInstance = "instance"
	KindProfile  = "instance profile" // and its role
	KindImage    = "image"
)
