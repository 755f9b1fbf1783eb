package builder

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// TagOrder is on an image while it is made, and after: a hash of what went into
// it, and of what is done with it, by which a build of the same can go on with it.
const TagOrder = "imago:order"

// namedTags are the tags of an image that may be found again by them.
func (p Plan) namedTags() map[string]string {
	tags := merge(p.ImageTags, map[string]string{TagOrder: p.order()})
	if p.claimed != "" && p.Fingerprint != "" {
		tags[TagClaim] = p.claimed
	}
	return tags
}

// begun is the record of what the build is of.
func (p Plan) begun() Record {
	return Record{Act: Begun, Region: p.Config.Region, Name: p.Config.Output.Name, Config: p.Config.Name, Inputs: p.order()}
}

// order is a hash of the fingerprint's parts, also of those that leave a build
// without a fingerprint, and of the image's name, copies, tags and users.
func (p Plan) order() string {
	sum := sha256.New()
	err := json.NewEncoder(sum).Encode(struct {
		Name, Region string
		Output       Output
		Tags         map[string]string // of the machine, which the image gets too
	}{p.Config.Name, p.Config.Region, p.Config.Output, p.Config.Instance.Tags})
	if err != nil { // there is nothing in it that JSON has not
		return ""
	}
	for _, part := range p.Parts {
		writeText(sum, part.Digest)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
