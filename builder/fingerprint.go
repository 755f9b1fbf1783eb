package builder

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// fingerprintVersion goes into every fingerprint. It is raised when the same
// inputs come to make another image.
const fingerprintVersion = "1"

// Part is one of the things that decide an image: imago itself, the source
// image, the options that end up in the image, and each step.
type Part struct {
	Title  string  `json:"title"`            // such as "step 2: upload app to /srv/app"
	Digest string  `json:"digest"`           // SHA-256, in hex; empty when it cannot be known
	Inputs []Input `json:"inputs,omitempty"` // what it is made of
}

// The places of what is always there among the parts; the steps follow.
const (
	imagoPart = iota
	sourcePart
	optionsPart
	fixedParts
)

// Input is a script, a variable, a tree or an option. Of a secret, and of
// what holds one, the digest is keyed.
type Input struct {
	Name   string `json:"name"` // such as "script setup.sh", "variable NODE_ENV"
	Digest string `json:"digest"`
}

// planFingerprint digests everything that decides the image.
func (p *Plan) planFingerprint() error {
	s := &sealer{salt: p.Config.Name, secrets: p.Config.Sensitive}
	parts := []*partSum{s.imago(), s.source(p.Source), s.options(p.Config)}
	for i, step := range p.Config.Steps {
		parts = append(parts, s.step(i, step, p.Listings[i]))
		if reason := unknown(step); reason != "" {
			p.Unknown = append(p.Unknown, at(step.Common().Where, fmt.Errorf("%s: %s", title(step), reason)).Error())
		}
	}
	if p.Config.Output.SkipImage {
		p.Unknown = append(p.Unknown, "skip_create_ami: no image is made")
	}
	whole := sha256.New()
	for _, each := range parts {
		p.Parts = append(p.Parts, each.sum())
		writeText(whole, p.Parts[len(p.Parts)-1].Digest)
	}
	if len(p.Unknown) == 0 && s.err == nil {
		p.Fingerprint = hex.EncodeToString(whole.Sum(nil))
	}
	return s.err
}

// unknown says why what a step does cannot be known before it is done, or is
// wanted for more than the image.
func unknown(s Step) string {
	switch s := s.(type) {
	case Local:
		return "it runs on this side, where it may do anything"
	case Download:
		return "it brings something from the machine, which a reused image would not"
	case Upload:
		if s.Generated {
			return "an earlier step makes what it uploads"
		}
	case Run:
		if s.Late != nil {
			return "it says something of the temporary machine"
		}
	case Sequence:
		for _, inner := range s.Steps {
			if why := unknown(inner); why != "" {
				return why
			}
		}
	case Pause:
		if s.For == 0 {
			return "somebody wants to look at the machine"
		}
	}
	return ""
}

// partSum collects the inputs of a Part. They are digested without their names,
// which are for people, behind keys, which are not.
type partSum struct {
	title  string
	whole  hash.Hash
	names  []string // in the order of their coming
	inputs map[string]hash.Hash
}

func newPart(format string, args ...any) *partSum {
	return &partSum{title: fmt.Sprintf(format, args...), whole: sha256.New(), inputs: map[string]hash.Hash{}}
}

// add adds values to an input.
func (p *partSum) add(name, key string, values ...string) {
	h := p.inputs[name]
	if h == nil {
		h = sha256.New()
		p.inputs[name], p.names = h, append(p.names, name)
	}
	for _, w := range []hash.Hash{h, p.whole} {
		writeText(w, key)
		writeText(w, fmt.Sprint(len(values)))
		for _, v := range values {
			writeText(w, v)
		}
	}
}

// option adds an option, unless it is as it is by default.
func (p *partSum) option(i int, name string, value, usual any) {
	if v, u := fmt.Sprint(value), fmt.Sprint(usual); v != u {
		p.add("option "+name, name, fmt.Sprint(i), v)
	}
}

func (p *partSum) sum() Part {
	all := Part{Title: p.title, Digest: hex.EncodeToString(p.whole.Sum(nil))}
	for _, name := range p.names {
		all.Inputs = append(all.Inputs, Input{Name: name, Digest: hex.EncodeToString(p.inputs[name].Sum(nil))})
	}
	return all
}

// writeText adds a text behind its length, so that no two lists of texts read the same.
func writeText(w io.Writer, s string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(s)))
	w.Write(length[:])
	io.WriteString(w, s)
}
