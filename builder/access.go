package builder

import (
	"context"

	"github.com/imagobuild/imago/builder/internal/undo"
)

// groups are the machine's security groups.
type groups struct {
	ids   []string
	made  thing       // the temporary one
	entry *undo.Entry // of that; nil without
}

// access is what the machine needs before it can be launched.
type access struct {
	keys
	groups
	profile
}

// makeAccess makes the key pair, the security group and the instance profile at
// the same time. It waits for all even when one does not succeed: what AWS makes
// without our knowing it would be left behind.
func (b *Builder) makeAccess(ctx context.Context, p Plan, trash *estate) (a access, err error) {
	err = together(
		func() (err error) { a.keys, err = b.makeKeys(ctx, p, trash); return err },
		func() (err error) { a.groups, err = b.makeGroup(ctx, p, trash); return err },
		func() (err error) { a.profile, err = b.makeProfile(ctx, p, trash); return err },
	)
	return a, err
}

// uses are what an instance keeps from being taken back.
func (a access) uses() []*undo.Entry { return append(a.groups.uses(), a.profile.uses()...) }

// uses are what an instance in these groups keeps from being taken back.
func (g groups) uses() []*undo.Entry {
	if g.entry == nil {
		return nil
	}
	return []*undo.Entry{g.entry}
}
