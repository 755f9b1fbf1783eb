// Package retention takes away images that nobody needs any more, and their
// snapshots. What goes is decided by Plan, a function of what a region of an
// account holds; a Pruner looks, asks it, looks again, and acts. Like builder it
// prints nothing and knows no files.
package retention

import (
	"slices"
	"time"
)

// Image is one of the account's images in a region.
type Image struct {
	ID, Region, Name, Owner string

	State   string // AWS's own word
	Created time.Time
	Tags    map[string]string
	Size    int // of its disks, in GiB

	Snapshots []string // their ids

	// Parents are the ids of the images that it was made from, as far as it says.
	Parents []string

	// Protected says that it is protected from being deregistered.
	Protected bool

	// SharedWith are those who may use it too, or its snapshots. It is looked up only
	// for images that would go otherwise.
	SharedWith []string
}

// Snapshot is one that a prune has marked: it goes when its image has gone.
type Snapshot struct {
	ID, Region, Image string
}

// Instance is a machine, whoever launched it.
type Instance struct{ ID, Image, State string }

// Template is a launch template with all its versions, as far as they name an image.
type Template struct {
	ID, Name     string
	Environments []string // of a release; empty for a template that is not of one
	Default      int64    // the version that is launched when nobody names one
	Latest       int64
	Versions     []Version
}

// Version is a launch template's.
type Version struct {
	Number int64
	Image  string // its id, also when the version names a parameter
}

// Configuration is a launch configuration, which came before launch templates.
type Configuration struct{ Name, Image string }

// AutoScalingGroup is what an auto scaling group launches.
type AutoScalingGroup struct {
	Name          string
	Environments  []string
	Configuration string // its name; empty for a group with templates
	Templates     []TemplateUse
	Images        []string // those that it names itself
}

// TemplateUse is a version of a launch template, which is named by its id or by its name.
type TemplateUse struct{ ID, Name, Version string }

// Inventory is what a region of an account holds.
type Inventory struct {
	Region         string
	Images         []Image // all of the account's, ours or not
	Snapshots      []Snapshot
	Instances      []Instance
	Templates      []Template
	Configurations []Configuration
	Groups         []AutoScalingGroup
}

// Decision is what becomes of an image.
type Decision struct {
	Image
	Series []Series
	Remove bool
	Why    string // for people
	Uses   []Use

	// Spared says that it would have gone, had it not been for a use of it.
	Spared bool
}

// Removed are the decisions to remove.
func Removed(all []Decision) []Decision {
	return slices.DeleteFunc(slices.Clone(all), func(d Decision) bool { return !d.Remove })
}
