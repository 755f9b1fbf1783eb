package retention

import "strings"

// TagPruned is on the snapshots of an image that is about to go, and says which
// image that is. Should the image go and a snapshot not, the next prune finds it by that.
const TagPruned = "imago:pruned"

const (
	TagApplication = "imago:application"
	TagImage       = "imago:image"
	TagEnvironment = "imago:environment"
)

// Environments lists what TagEnvironment's value says.
func Environments(value string) []string { return strings.Fields(value) }
