package provision

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// The layout of what receive.sh unpacks. The tree is "t". "at" and a stripe's
// number say, now and then, how far the stripe is; "end" and the number that it
// is all there. "complete" comes last, "more" instead of it when other streams
// are to follow. Pieces arrive in "p" by SFTP.
const (
	stagedTree     = "t"
	stagedAt       = "at"
	stagedEnd      = "end"
	stagedComplete = "complete"
	stagedMore     = "more"
	stagedPieces   = "p"
)

// attempt sends a tree from where the machine is to the end: as one stream, or as
// several over a long link, and pieces beside them.
type attempt struct {
	*upload
	host      *Host // the attempt's own: a stripe that nobody waits for may still look at it
	said      *announcement
	pieces    *pieces
	reached   []int       // by stripe: what has been sent
	switching atomic.Bool // other streams are to follow
}

func (u *upload) newAttempt() *attempt {
	a := &attempt{upload: u, host: u.host, said: newAnnouncement()}
	a.pieces = newPieces(u, a.said)
	return a
}

func (a *attempt) stripe(number int) *stripe {
	return &stripe{attempt: a, number: number, buffer: make([]byte, copyBuffer)}
}

// feed writes the first stripe, sees to the others, and ends with what needs all of them.
func (a *attempt) feed(ctx context.Context, w io.Writer) error {
	a.ledger.divide(a.host.far())
	a.reached = make([]int, len(a.ledger.at))
	first := a.stripe(0)
	all, working := errgroup.WithContext(ctx)
	all.Go(func() error { return a.switched(first.share(working, w)) })
	for n := 1; n < len(a.ledger.at); n++ {
		all.Go(func() error { return a.join(working, n) })
	}
	if err := all.Wait(); err != nil {
		return causeOr(ctx, err)
	}
	if err := a.pieces.wait(); err != nil {
		return err
	}
	if a.switching.Load() {
		return first.end(stagedMore)
	}
	if err := first.settle(ctx); err != nil {
		return err
	}
	// Until the machine has said where the tree goes, a lost connection could not be told from a tree in place.
	if _, err := a.said.await(ctx); err != nil {
		return err
	}
	a.sentAll = true
	return first.end(stagedComplete)
}

// join sends another stripe, in a session of its own.
func (a *attempt) join(ctx context.Context, number int) error {
	where, err := a.said.await(ctx)
	if err != nil {
		return err
	}
	s := a.stripe(number)
	return a.receiveAt(ctx, where, "join", func(ctx context.Context, w io.Writer) error {
		if err := a.switched(s.share(ctx, w)); err != nil {
			return err
		}
		return s.end(stagedEnd + strconv.Itoa(number))
	}, nil, strconv.Itoa(number))
}

// switched is nil for a share whose rest goes in another stream, and remembers that.
func (a *attempt) switched(err error) error {
	if errors.Is(err, errSwitch) {
		a.switching.Store(true)
		return nil
	}
	return err
}

// settle puts the pieces where they belong, and gives the directories that may not be changed their modes.
func (s *stripe) settle(ctx context.Context) error {
	if len(s.ledger.pieces) == 0 && !s.survey.locked {
		return nil
	}
	count := newCounter(s.survey.count)
	err := s.tree.walk(ctx, visitor{
		enter: func(e entry) error {
			p := s.ledger.pieces[count.add(e)]
			if p == nil {
				return nil
			}
			header := tarHeader(e)
			header.Typeflag, header.Size, header.Linkname = tar.TypeLink, 0, p.path()
			return s.archive.WriteHeader(header)
		},
		leave: func(e entry) error {
			if e.mode&ownerAll == ownerAll {
				return nil
			}
			return s.archive.WriteHeader(tarHeader(e))
		},
	})
	if err != nil {
		return err
	}
	return count.check(s.survey.count)
}
