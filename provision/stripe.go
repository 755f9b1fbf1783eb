package provision

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"strconv"
)

const (
	// A stripe gets so many entries in a row, then the next one does.
	stripeEntries = 500

	// farStripes are the streams over a long link: each has a window of its own.
	farStripes = 2

	// A mark comes after so much: it is what has to be sent again at most.
	markBytes   = 2 << 20
	markEntries = 500

	// bigFile is the size from which half a file is worth keeping.
	bigFile = 16 << 20
)

// errSwitch ends a walk whose rest goes in another stream.
var errSwitch = errors.New("the rest goes in another stream")

// stripe is one of the streams of an attempt, with its share of the tree.
type stripe struct {
	*attempt
	number int
	buffer []byte

	link    *link
	packed  packing
	archive *tar.Writer

	// Since the last mark.
	newEntries int
	newBytes   int64
}

// mine reports whether an entry is one of the stripe's.
func (s *stripe) mine(i int) bool { return i/stripeEntries%len(s.ledger.at) == s.number }

// share sends the stripe's share of the tree. It returns errSwitch when the rest
// of it is to go in another stream.
func (s *stripe) share(ctx context.Context, w io.Writer) error {
	if err := s.begin(w); err != nil {
		return err
	}
	count := newCounter(s.survey.count)
	err := s.tree.walk(ctx, visitor{enter: func(e entry) error {
		i := count.add(e)
		if !s.mine(i) {
			return nil
		}
		return s.enter(ctx, i, e)
	}})
	if err != nil {
		return err
	}
	s.reached[s.number] = count.n
	return count.check(s.survey.count)
}

// begin says how the stream is packed.
func (s *stripe) begin(w io.Writer) error {
	how, pack := "plain\n", newPlain
	if (s.host.roundTripAtLeast(veryFar) || s.squeeze.Load()) && !s.host.noGzip.Load() {
		how, pack = "gzip\n", newGzipped
	}
	if _, err := io.WriteString(w, how); err != nil {
		return err
	}
	s.link = &link{w: w}
	s.packed = pack(s.link)
	s.archive = tar.NewWriter(s.packed)
	return nil
}

// end ends the stream.
func (s *stripe) end(with string) error {
	if err := s.note(with, ""); err != nil {
		return err
	}
	if err := s.archive.Close(); err != nil {
		return err
	}
	return s.packed.finish()
}

// note writes a file beside the tree.
func (s *stripe) note(name, text string) error {
	err := s.archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(text)), Format: tar.FormatGNU})
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.archive, text)
	return err
}

// enter sends one entry, unless the machine has it.
func (s *stripe) enter(ctx context.Context, i int, e entry) error {
	if p := s.ledger.piece(i); p != nil {
		return s.pieces.send(ctx, p, e)
	}
	if i < s.ledger.at[s.number] {
		s.skip(e)
		return nil
	}
	half := s.resumed && i == s.ledger.at[s.number] && e.size >= bigFile // of it may be there
	taken, err := s.pieces.take(ctx, i, e, half)
	if err != nil || taken {
		return err
	}
	if e.size >= bigFile { // so that half of it is worth something
		if err := s.mark(i); err != nil {
			return err
		}
	}
	if err := s.write(ctx, e); err != nil {
		return err
	}
	if s.newBytes += e.size; s.newBytes < markBytes && s.newEntries < markEntries {
		return nil
	}
	return s.mark(i + 1)
}

// skip counts what has arrived already.
func (u *upload) skip(e entry) {
	if e.mode.IsRegular() {
		u.progress.bytes(e.size)
		u.progress.fileDone()
	}
}

// write sends one entry. Directories are made so that they can be filled.
func (s *stripe) write(ctx context.Context, e entry) error {
	s.newEntries++
	header := tarHeader(e)
	if e.mode.IsDir() {
		header.Mode |= int64(ownerAll)
	}
	if err := s.archive.WriteHeader(header); err != nil {
		return err
	}
	if !e.mode.IsRegular() {
		return nil
	}
	s.progress.file(e.name)
	if _, err := s.tree.copyEntry(ctx, s.progress.count(s.archive), e, s.buffer); err != nil {
		return err
	}
	s.progress.fileDone()
	return nil
}

// mark says that the stripe's entries before one of the tree's have been sent. A
// link that turns out to be slow gets the rest compressed.
func (s *stripe) mark(before int) error {
	if s.newEntries == 0 {
		return nil
	}
	s.newEntries, s.newBytes = 0, 0
	if err := s.note(stagedAt+strconv.Itoa(s.number), strconv.Itoa(before)); err != nil {
		return err
	}
	if err := s.archive.Flush(); err != nil {
		return err
	}
	if err := s.packed.mark(); err != nil {
		return err
	}
	if _, is := s.packed.(plain); !is || s.host.noGzip.Load() {
		return nil
	}
	if s.link.slow(len(s.ledger.at)) {
		s.squeeze.Store(true)
	}
	if s.squeeze.Load() {
		s.reached[s.number] = before
		return errSwitch
	}
	return nil
}
