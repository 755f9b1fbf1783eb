package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/undo"
)

// estate is all that one build has made: how to take it back, and what the
// journal says of it to those who come after.
type estate struct {
	undo.Stack
	b     *Builder
	id    string
	begun Record // what the build is of

	mu       sync.Mutex
	owned    []owned
	earlier  []thing  // what was made before the build was gone on with
	doubts   []string // what may have been made without our learning of it
	made     bool     // something may have been
	launches int

	claim   *claim         // nil without
	waited  time.Duration  // for another build
	adopted *adopted       // nil without
	handing sync.WaitGroup // the claim over
	loss    *overtaken     // nil: nobody has overtaken it
	cancel  context.CancelCauseFunc
}

// newEstate is that of a build that has made nothing yet.
func (b *Builder) newEstate(p Plan) *estate { return &estate{b: b, id: p.ID, begun: p.begun()} }

// owned is a thing that is there, and how to take it back.
type owned struct {
	thing
	entry *undo.Entry
}

// thing is one thing in AWS that a build makes.
type thing struct {
	kind, name, id string
	region         string
	account        string
	cloud          EC2
	profiles       Profiles // of a profile, instead of cloud
	tagged         string   // the id that its tags are under, when that is another: of a key pair, whose name is what people know it by
	since          time.Time
	fingerprint    string // of an image that was looked for, when it has one
}

func (t thing) String() string { return t.kind + " " + t.id }

// same says whether both are the same thing in the words of a journal.
func (t thing) same(x thing) bool {
	return t.kind == x.kind && t.region == x.region && t.name == x.name
}

// createLimit is how long a call that makes something may go on in a canceled build.
const createLimit = 2 * time.Minute

// produce makes a thing, unless it was made before: recorded before, and waited
// for once AWS is asked, also when the build is canceled meanwhile. What is made
// without our learning its id would be left behind; so a thing is looked for
// when the answer is lost. call returns t with what the answer says.
func (e *estate) produce(ctx context.Context, t thing, call func(context.Context) (thing, error)) (thing, error) {
	if before, ok := e.before(t); ok {
		return before, nil
	}
	if ctx.Err() != nil {
		return thing{}, context.Cause(ctx)
	}
	if err := e.record(Making, t); err != nil {
		return thing{}, err
	}
	asking, cancel := outlive(ctx, createLimit)
	defer cancel()
	made, err := call(asking)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	switch {
	case err == nil:
	case refused(err):
		e.record(Gone, t) // if that is lost, gc looks and does not find it
	default:
		made, err = e.lost(ctx, t, err)
	}
	made.since = time.Now()
	return made, err
}

// refused says whether an error means that nothing was made. An answer that was
// lost may have been a good one; and when the SDK then asks again, the name is
// taken, by us.
func refused(err error) bool {
	api := smithy.APIError(nil)
	return errors.Is(err, errTaken) || errors.As(err, &api) && !nameTaken(err) && !awserr.Is(err,
		"InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "UnknownError")
}

func nameTaken(err error) bool {
	return awserr.Is(err, "InvalidAMIName.Duplicate", "InvalidKeyPair.Duplicate", "InvalidGroup.Duplicate")
}

// add is called the moment a thing exists: it is registered for being taken
// back, written down and told, in this order, so that an error loses nothing.
func (e *estate) add(t thing, uses ...*undo.Entry) (*undo.Entry, error) {
	if entry := e.entry(t); entry != nil { // made before the build was gone on with
		return entry, nil
	}
	entry := e.own(t, uses...)
	err := e.record(Made, t)
	e.b.event(Created{t.kind, t.id})
	e.claim.tell(t)
	return entry, err
}

// entry is how to take a thing back, if it is registered for that.
func (e *estate) entry(t thing) *undo.Entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.owned {
		if o.same(t) && o.id == t.id {
			return o.entry
		}
	}
	return nil
}

// own registers a thing for being taken back.
func (e *estate) own(t thing, uses ...*undo.Entry) *undo.Entry {
	entry := e.Add(t.String(), func(ctx context.Context) error {
		var err error
		if !e.estranged(ctx, t) {
			err = e.b.takeAway(ctx, t)
		}
		if err == nil {
			e.record(Gone, t) // if that is lost, gc looks and does not find it
		}
		return err
	}, uses...)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owned = append(e.owned, owned{t, entry})
	return entry
}

// takeAway takes a thing back, and returns when it is gone.
func (b *Builder) takeAway(ctx context.Context, t thing) error {
	switch t.kind {
	case KindKeyPair:
		_, err := t.cloud.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyPairId: &t.tagged}) // its name may be another's by now
		return ignore(err, t.absence()...)
	case KindGroup:
		return deleteGroup(ctx, t)
	case KindInstance:
		return b.terminate(ctx, t)
	case KindProfile:
		return t.profiles.DeleteProfile(ctx, t.id)
	default:
		return removeImage(ctx, t, true)
	}
}

// discard takes an image back that is to be made once more, under the same name.
func (e *estate) discard(ctx context.Context, m made) error {
	e.mu.Lock() // several regions' copies are made at the same time
	e.earlier = slices.DeleteFunc(e.earlier, m.same)
	e.mu.Unlock()
	return e.TakeBack(ctx, m.undo)
}

// before is a thing that was made before the build was gone on with.
func (e *estate) before(t thing) (thing, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.earlier, t.same)
	if i < 0 {
		return thing{}, false
	}
	return e.earlier[i], true
}

// anew takes back what another try has made, whose names would be in the way,
// and says how many tries there were.
func (e *estate) anew(ctx context.Context) (tries int, err error) {
	e.launches++
	err = e.Run(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owned = nil
	return e.launches, err
}

// record writes down what happens to a thing, and before the first one, what the build is of.
func (e *estate) record(act Act, t thing) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.made {
		if err := e.write(e.begun); err != nil {
			return err
		}
		e.made = true
	}
	return e.write(Record{Act: act, Kind: t.kind, Region: t.region, Name: t.name, ID: t.id, Account: t.account})
}

func (e *estate) write(r Record) error {
	if e.b.Journal == nil {
		return nil
	}
	r.Build, r.Time = e.id, time.Now().UTC()
	if !strings.HasPrefix(r.Name, "imago-"+e.id) { // which is ours, whatever it looks like
		r.Name = e.b.secrets.Clean(r.Name)
		if r.Kind == KindKeyPair { // its id is its name
			r.ID = e.b.secrets.Clean(r.ID)
		}
	}
	if err := e.b.Journal.Record(r); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// close writes down how the build ended. Who reads the journal sees without
// that line too that we are gone.
func (e *estate) close(act Act) {
	if e.made {
		e.write(Record{Act: act})
	}
}
