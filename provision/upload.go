package provision

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// Without anything arriving in between, a connection that is lost so often is
	// made again after a pause, and no more after Identity.ReconnectFor.
	reconnects = 5

	discardTime = 15 * time.Second
)

// Upload sends a tree. Everything is put together in a private directory beside
// the destination and appears by rename, so that no file is ever seen half
// written; when the destination is new, the tree appears all at once. Missing
// parents of Dest are made. Directories that exist keep their modes, and what
// else they hold. on is called from one goroutine at a time, some times a second
// and at the end, and may be nil.
//
// Files travel as one tar stream, compressed where the link is slower than that.
// Over a link with long round trips, big files that do not compress travel beside
// it, by SFTP, over several channels and connections; sparse files always do, and
// stay sparse. When the connection is lost, Upload connects again and goes on
// where the machine is; Host itself stays lost. A machine without tar gets
// everything by SFTP. Memory does not grow with the tree, except there.
func (h *Host) Upload(ctx context.Context, t Tree, on func(Progress)) error {
	s, err := t.look(ctx)
	if err != nil {
		return err
	}
	u := &upload{tree: t, survey: s, id: newStageID(), host: h, ledger: newLedger(), progress: newMeter(on, s.bytes, s.files)}
	defer func() {
		u.progress.stop()
		if u.host != h { // that one is the caller's
			u.host.Close()
		}
	}()
	if err := u.run(ctx); err != nil {
		return fmt.Errorf("upload %s to %s: %w", t.label(), t.Dest, u.discard(ctx, causeOr(ctx, err)))
	}
	u.progress.finish()
	return nil
}

// upload is one Upload under way.
type upload struct {
	tree     Tree
	survey   *survey
	id       string // names the staging directory on the machine
	progress *meter

	host    *Host       // the connection in use: another one after the first is lost
	staging staging     // empty until the machine has said it
	ledger  *ledger     // what has arrived
	squeeze atomic.Bool // the link has shown that it is slow
	sentAll bool        // the machine may have placed the tree
	resumed bool        // it is not the first time
}

// errAgain says that the machine, or the link, wants it another way.
var errAgain = errors.New("once more, another way")

// run sends the tree, in as many attempts as it takes.
func (u *upload) run(ctx context.Context) error {
	for lost, since := 0, time.Now(); ; {
		before := u.ledger.arrived()
		err := u.attempt(ctx)
		switch {
		case errors.Is(err, errAgain):
			u.progress = u.progress.again()
			continue
		case err == nil || !errors.Is(err, ErrLost) || u.host.noTar.Load() || ctx.Err() != nil:
			return err
		}
		placed, resumeErr := u.resume(ctx)
		if placed || resumeErr != nil {
			return resumeErr
		}
		u.resumed, u.progress = true, u.progress.again()
		if lost++; u.ledger.arrived() > before {
			lost, since = 0, time.Now()
		}
		if time.Since(since) > u.host.reconnectFor() {
			return err
		}
		if lost >= reconnects {
			rest(ctx, redialFirst)
		}
	}
}

// attempt sends what the machine does not have yet.
func (u *upload) attempt(ctx context.Context) error {
	if u.host.noTar.Load() {
		return u.sendBySFTP(ctx)
	}
	a := u.newAttempt()
	err := u.receive(ctx, "all", a.feed, a.said)
	if failed := a.pieces.stop(ctx); failed != nil {
		err = failed
	}
	if where := a.said.where(); where.dir != "" {
		u.staging = where
	}
	exit := (*receiveError)(nil)
	switch {
	case err == nil && a.switching.Load():
		u.ledger.at = a.reached
		return errAgain
	case !errors.As(err, &exit):
		return err
	case exit.code == exitNoTar:
		u.host.noTar.Store(true)
	case exit.code == exitNoGzip:
		u.host.noGzip.Store(true)
	default:
		return err
	}
	return errAgain
}

// resume connects again, if need be, and finds out what the machine has. It may
// have placed the tree already, when everything had been sent.
func (u *upload) resume(ctx context.Context) (placed bool, err error) {
	ctx, cancel := u.host.reconnecting(ctx)
	defer cancel()
	said := newAnnouncement()
	for err = ErrLost; errors.Is(err, ErrLost) && ctx.Err() == nil; {
		if err := u.reconnect(ctx); err != nil {
			return false, err
		}
		if u.staging.dir == "" { // it has not come far, or not said so
			if err = u.receive(ctx, "discard", nil, io.Discard); err == nil {
				return false, u.startOver()
			}
			continue
		}
		err = u.receive(ctx, "resume", nil, said)
	}
	exit := (*receiveError)(nil)
	switch {
	case errors.As(err, &exit) && exit.code == exitNoStage:
		if u.sentAll {
			return true, nil
		}
		return false, u.startOver()
	case err != nil:
		return false, err
	}
	return false, said.at(u.ledger.at)
}

// startOver forgets what the machine may have had.
func (u *upload) startOver() error {
	u.id, u.staging, u.ledger = newStageID(), staging{}, newLedger()
	return nil
}

// newStageID names a staging directory that nobody can guess.
func newStageID() string { return strings.ToLower(rand.Text()) }

// reconnect makes the connection again, unless only one beside it was lost.
func (u *upload) reconnect(ctx context.Context) error {
	if u.host.answers() {
		return nil
	}
	next, err := u.host.redial(ctx)
	if err != nil {
		return err
	}
	if lost := u.host; lost.redialed {
		lost.Close()
	}
	u.host = next
	return nil
}

// discard removes what was staged before err happened, and returns err with
// what the machine has to say about it: SFTP itself says no more than "Failure".
// A machine that cannot be reached any more discards it by itself.
func (u *upload) discard(ctx context.Context, err error) error {
	exit := (*receiveError)(nil)
	if errors.Is(err, ErrLost) || errors.As(err, &exit) && exit.code == exitRefused {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	var why strings.Builder
	also := u.receive(ctx, "discard", nil, &why)
	if errors.Is(also, ErrLost) {
		return err
	}
	if text := strings.TrimSpace(why.String()); text != "" && exit == nil {
		err = fmt.Errorf("%w (%s)", err, text)
	}
	return errors.Join(err, also)
}
