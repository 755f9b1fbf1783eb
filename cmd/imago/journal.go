package main

import (
	"path/filepath"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/journal"
	"github.com/imagobuild/imago/builder/template"
)

// scribe is one build's journal: the file, when one can be kept, and the ledger.
type scribe struct {
	build  string
	ledger *ledger
	file   *journal.Log
}

// Record writes to the file first: what is in the ledger alone is lost with us.
func (s scribe) Record(r builder.Record) error {
	if s.file != nil {
		if err := s.file.Record(r); err != nil {
			return err
		}
	}
	s.ledger.record(s.build, r)
	return nil
}

// scribe returns the journal of a build. Where none can be kept, as in a
// container without a home, the build goes on: the tags are there too.
func (b *bake) scribe(build template.Build) scribe {
	s := scribe{build: build.Name, ledger: b.made}
	dir, err := journalDir()
	if err == nil {
		s.file = &journal.Log{Dir: dir, Via: via(build.Access, b.local), Reading: b.options.reading()}
		err = s.file.Check()
	}
	if err != nil {
		s.file = nil
		b.unkept.Do(func() {
			b.say("imago: warning: no journal can be kept (%v): should imago be killed, imago gc takes away what it made only after %v", err, builder.Lifetime)
		})
	}
	return s
}

// reading is what the template was read with.
func (o buildOptions) reading() journal.Reading {
	return journal.Reading{Time: o.template.Now.UTC(), Seed: o.template.Seed}
}

// via says how a build reaches its account.
func via(a template.Access, local bool) journal.Via {
	if local {
		return journal.Via{Local: true}
	}
	v := journal.Via{Profile: a.Profile, Endpoint: a.Endpoint}
	if a.AssumeRole != nil {
		v.Role = a.AssumeRole.RoleARN
	}
	return v
}

// journalDir is where the journals are.
func journalDir() (string, error) {
	state, err := stateDir()
	return filepath.Join(state, "journal"), err
}

// inputsDir is where builds remember what they were made of; empty when there is no place for it.
func inputsDir() string {
	state, err := stateDir()
	if err != nil {
		return ""
	}
	return filepath.Join(state, "inputs")
}
