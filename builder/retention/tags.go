package retention

// TagPruned is on the snapshots of an image that is about to go, and says which
// image that is. Should the image go and a snapshot not, the next prune finds it by that.
const TagPruned = "imago:pruned"
