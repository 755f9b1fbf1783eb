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
		"Password": f.Password, "SSHPrivateKey": f.PrivateKey, "SSHPublicKey": f.PublicKey, "SSHAgentAuth": fmt.Sprint(f.Agent),
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
		RunID: "00000000-0000-0000-0000-000000000000", PrivateKeyFile: "key", PrivateKey: "private", PublicKey: "public", Password: "password",
		Source: builder.SourceImage{
			ID: "ami-00000000000000000", Name: "name", Owner: "000000000000", OwnerName: "owner", Created: time.Unix(0, 0),
		},
	})
}

// otherFacts are the facts of no build either, and others than the examples.
func otherFacts() builder.Facts { return builder.Facts{Agent: true} }

// late says whether an object is evaluated once more when the facts are known.
func (o *object) late() bool {
	late := o.v.late != nil
	o.v.strings(func(v value) { late = late || len(calls(v.text, "build")) > 0 })
	return late
}

// varies says whether an option depends on the facts.
func (o *object) varies(name string) bool {
	v, _ := o.v.member(name)
	found := false
	v.strings(func(v value) { found = found || len(calls(v.text, "build")) > 0 })
	if found || o.v.late == nil {
		return found
	}
	other, _ := o.v.late(o.p.informed(otherFacts())).member(name)
	return stringsOf(v) != stringsOf(other)
}

// stringsOf are all strings in a value.
func stringsOf(v value) (all string) {
	v.strings(func(v value) { all += v.text + "\n" })
	return all
}

// renewed returns a function that makes a step anew once the facts are known, or nil when nothing in it depends on them.
func renewed[S builder.Step](o *object, read func(*object) S) func(builder.Facts) (S, error) {
	if !o.late() {
		return nil
	}
	p := *o.p // with the current build
	return func(f builder.Facts) (S, error) {
		q := p.informed(f)
		again := q.again(o)
		again.facts, again.informed = true, true
		step := read(again)
		return step, q.problems.err(q.result.Sensitive)
	}
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
