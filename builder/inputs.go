package builder

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/imagobuild/imago/provision"
)

// TagInputs is on an image while it is made, and after: a hash of what went into
// it, by which a build of the same can go on with it.
const TagInputs = "imago:inputs"

// namedTags are the tags of an image that may be found again by them.
func (p Plan) namedTags() map[string]string {
	return merge(p.ImageTags, map[string]string{TagInputs: p.inputs()})
}

// begun is the record of what the build is of.
func (p Plan) begun() Record {
	return Record{Act: Begun, Region: p.Config.Region, Name: p.Config.Output.Name, Config: p.Config.Name, Inputs: p.inputs()}
}

// inputs is a hash of what goes into the image, and of what is done with it. How
// the machine is reached, and how long is waited for it, makes no difference;
// nor does where files are on this side.
func (p Plan) inputs() string {
	c := p.Config
	sum := sha256.New()
	err := json.NewEncoder(sum).Encode(struct {
		Name, Region, Source string
		Instance             Instance
		Output               Output
		Steps                []any
	}{c.Name, c.Region, p.Source.ID, c.Instance, c.Output, p.stepInputs()})
	if err != nil { // there is nothing in it that JSON has not
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// stepInputs is what each step does to the machine, as far as it can be known before.
func (p Plan) stepInputs() (all []any) {
	for i, s := range p.Config.Steps {
		switch s := s.(type) {
		case Upload:
			all = append(all, treeInputs(s, p.Listings[i]))
		case Run:
			all = append(all, s.Scripts)
		case Local:
			all = append(all, s.Name)
		}
	}
	return all
}

// treeInputs is what an upload puts where.
func treeInputs(s Upload, listings []provision.Listing) (all []any) {
	for i, t := range s.Trees {
		if i < len(listings) {
			t.Source = ""
		}
		all = append(all, t)
	}
	return append(all, fmt.Sprint(listings))
}
