package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/internal/undo"
)

// estate is all that one build has made: how to take it back, and what the
// journal says of it to those who come after.
type estate struct {
	undo.Stack
	b  *Builder
	id string

	mu     sync.Mutex
	things []thing
	doubts []string // what may have been made without our learning of it
	made   bool     // something may have been
}

// thing is one thing in AWS that a build makes.
type thing struct {
	kind, name, id string
	region         string
	account        string
	cloud          EC2
	tagged         string // the id that its tags are under, when that is another
}

func (t thing) String() string { return t.kind + " " + t.id }

// createLimit bounds a call that makes something.
const createLimit = 2 * time.Minute

// produce makes a thing: recorded before, and waited for once AWS is asked,
// also when the build is canceled meanwhile. What is made without our learning
// its id would be left behind.
func produce[T any](ctx context.Context, e *estate, t thing, call func(context.Context) (T, error)) (out T, err error) {
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	if err := e.record(Making, t); err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createLimit)
	defer cancel()
	out, err = call(ctx)
	if err != nil && !refused(err) {
		e.doubt(t)
	}
	return out, err
}

// refused says whether an error means that nothing was made. An answer that was
// lost may have been a good one; and when the SDK then asks again, the name is
// taken, by us.
func refused(err error) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && !hasCode(err,
		"InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable",
		"InvalidAMIName.Duplicate", "InvalidKeyPair.Duplicate", "InvalidGroup.Duplicate")
}

func (e *estate) doubt(t thing) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubts = append(e.doubts, t.kind+" "+t.name+" (perhaps)")
}

// add is called the moment a thing exists: it is registered for being taken
// back, written down and told, in this order, so that an error loses nothing.
func (e *estate) add(t thing, take func(context.Context) error, uses ...*undo.Entry) (*undo.Entry, error) {
	entry := e.Add(t.String(), func(ctx context.Context) error {
		err := take(ctx)
		if err == nil {
			e.record(Gone, t) // if that is lost, gc looks and does not find it
		}
		return err
	}, uses...)
	e.mu.Lock()
	e.things = append(e.things, t)
	e.mu.Unlock()
	err := e.record(Made, t)
	e.b.event(Created{t.kind, t.id})
	return entry, err
}

// record writes down what happens to a thing.
func (e *estate) record(act Act, t thing) error {
	e.mu.Lock()
	e.made = true
	e.mu.Unlock()
	return e.write(Record{Act: act, Kind: t.kind, Region: t.region, Name: t.name, ID: t.id, Account: t.account})
}

func (e *estate) write(r Record) error {
	if e.b.Journal == nil {
		return nil
	}
	r.Build, r.Time, r.Name = e.id, time.Now().UTC(), e.b.secrets.Clean(r.Name)
	if r.Kind == KindKeyPair { // its id is its name
		r.ID = e.b.secrets.Clean(r.ID)
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

// leftovers are what may be there without our knowing it.
func (e *estate) leftovers() error {
	if len(e.doubts) == 0 {
		return nil
	}
	return &LeakError{Resources: e.doubts, Err: errors.New("AWS did not say whether it made it")}
}

// renewEvery is how often a build says that it still lives, in the tags by which others judge.
const renewEvery = Lifetime / 4

// renew keeps moving the time at which others may take away what the build has
// made, until the function it returns is called.
func (e *estate) renew(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for poll.For(ctx, renewEvery) == nil {
			if err := e.retag(ctx, expiry()); err != nil && ctx.Err() == nil {
				e.b.warn("the tag %s stays as it was: %v", TagExpires, err)
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// retag says anew when everything that was made expires. What is gone already is no error.
func (e *estate) retag(ctx context.Context, when string) error {
	e.mu.Lock()
	things := slices.Clone(e.things)
	e.mu.Unlock()
	return forEach(len(things), func(i int) error {
		t := things[i]
		err := tagExpiry(ctx, t.cloud, when, cmp.Or(t.tagged, t.id))
		if hasCode(err, "InvalidInstanceID.NotFound", "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidID", "InvalidKeyPair.NotFound", "InvalidGroup.NotFound") {
			return nil
		}
		return err
	})
}

// tagExpiry says of things when they may be taken away.
func tagExpiry(ctx context.Context, cloud EC2, when string, ids ...string) error {
	_, err := cloud.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: ids, Tags: []types.Tag{{Key: aws.String(TagExpires), Value: &when}},
	})
	return err
}

// expiry is the value of TagExpires for what lives now.
func expiry() string { return time.Now().Add(Lifetime).UTC().Format(time.RFC3339) }
