package template

import (
	"cmp"
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder"
)

// factsOf are the values of {{build `X`}}, by the names of Packer.
func factsOf(f builder.Facts) map[string]string {
	return map[string]string{
		"BuildRegion": f.Region, "ConnType": "ssh", "Host": f.Host, "ID": f.ID, "PackerRunUUID": f.RunID,
		"Port": fmt.Sprint(f.Port), "SSHPrivateKeyFile": f.PrivateKeyFile, "User": f.User,
		"SourceAMI": f.Source.ID, "SourceAMICreationDate": creationDate(f.Source), "SourceAMIName": f.Source.Name,
		"SourceAMIOwner": f.Source.Owner, "SourceAMIOwnerName": f.Source.OwnerName,
	}
}

// creationDate is when an image was made, as AWS writes it.
func creationDate(img builder.SourceImage) string {
	if img.Created.IsZero() {
		return ""
	}
	return img.Created.UTC().Format("2006-01-02T15:04:05.000Z")
}

// exampleFacts stand for the facts of a build while there is none, so that what
// uses them can be checked before anything is launched.
func exampleFacts() map[string]string {
	return factsOf(builder.Facts{
		ID: "i-00000000000000000", Host: "192.0.2.1", Port: defaultSSHPort, User: "user", Region: "us-east-1",
		RunID: "00000000-0000-0000-0000-000000000000", PrivateKeyFile: "key",
		Source: builder.SourceImage{
			ID: "ami-00000000000000000", Name: "name", Owner: "000000000000", OwnerName: "owner", Created: time.Unix(0, 0),
		},
	})
}

// informed returns the parser as it reads once the facts of the build are known.
func (p *parser) informed(f builder.Facts) *parser {
	q := *p
	q.problems = problems{sources: p.problems.sources}
	f.PrivateKeyFile = cmp.Or(f.PrivateKeyFile, p.keyFile)
	q.facts = factsOf(f)
	return &q
}

// again returns an object's options as they are once the facts are known.
func (p *parser) again(o *object) *object {
	if o.v.late != nil {
		return p.object(o.v.late(p), o.what)
	}
	return p.object(o.v, o.what)
}
