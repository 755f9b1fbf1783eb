package provision

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"time"
)

// The layout of what receive.sh unpacks. The tree is "t". "at" says how many of
// its entries are there, now and then. "complete" comes last, "more" instead of
// it when another stream is to follow. Pieces arrive in "p" by SFTP.
const (
	stagedTree     = "t"
	stagedAt       = "at"
	stagedComplete = "complete"
	stagedMore     = "more"
	stagedPieces   = "p"
)

const (
	// A mark comes after so much: it is what has to be sent again at most.
	markBytes   = 2 << 20
	markEntries = 500

	// bigFile is the size from which half a file is worth keeping.
	bigFile = 16 << 20
)

// errSwitch ends a walk whose rest goes in another stream.
var errSwitch = errors.New("the rest goes in another stream")

// attempt is one stream of a tree, from where the machine is to the end.
type attempt struct {
	*upload
	said   *announcement
	pieces *pieces
	buffer []byte

	link    *link
	packed  packing
	archive *tar.Writer

	// Since the last mark.
	newEntries int
	newBytes   int64

	switching bool // the rest goes in another stream
}

func (u *upload) newAttempt() *attempt {
	a := &attempt{upload: u, said: newAnnouncement(), buffer: make([]byte, copyBuffer)}
	a.pieces = newPieces(u, a.said)
	return a
}

// feed writes the stream.
func (a *attempt) feed(ctx context.Context, w io.Writer) error {
	if err := a.begin(w); err != nil {
		return err
	}
	count := newCounter(a.survey.count)
	err := a.tree.walk(ctx, visitor{enter: func(e entry) error { return a.enter(ctx, count.add(e), e) }})
	if err != nil && !errors.Is(err, errSwitch) {
		return err
	}
	if err := a.pieces.wait(); err != nil {
		return err
	}
	if errors.Is(err, errSwitch) {
		a.switching = true
		return a.end(stagedMore)
	}
	if err := count.check(a.survey.count); err != nil {
		return err
	}
	if err := a.settle(ctx); err != nil {
		return err
	}
	// Until the machine has said where the tree goes, a lost connection could not be told from a tree in place.
	if _, err := a.said.await(ctx); err != nil {
		return err
	}
	a.sentAll = true
	return a.end(stagedComplete)
}

// begin says how the stream is packed.
func (a *attempt) begin(w io.Writer) error {
	how, pack := "plain\n", newPlain
	if (a.host.far() || a.squeeze) && !a.host.noGzip.Load() {
		how, pack = "gzip\n", newGzipped
	}
	if _, err := io.WriteString(w, how); err != nil {
		return err
	}
	a.link = &link{w: w}
	a.packed = pack(a.link, time.Duration(a.host.roundTrip.Load()))
	a.archive = tar.NewWriter(a.packed)
	return nil
}

// end ends the stream.
func (a *attempt) end(with string) error {
	if err := a.note(with, ""); err != nil {
		return err
	}
	if err := a.archive.Close(); err != nil {
		return err
	}
	return a.packed.finish()
}

// note writes a file beside the tree.
func (a *attempt) note(name, text string) error {
	err := a.archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(text)), Format: tar.FormatGNU})
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.archive, text)
	return err
}

// enter sends one entry, unless the machine has it.
func (a *attempt) enter(ctx context.Context, i int, e entry) error {
	if p := a.ledger.pieces[i]; p != nil {
		return a.pieces.send(ctx, p, e)
	}
	if i < a.ledger.at {
		a.skip(e)
		return nil
	}
	p, err := a.pieces.take(ctx, i, e)
	if err != nil || p {
		return err
	}
	if e.size >= bigFile { // so that half of it is worth something
		if err := a.mark(i); err != nil {
			return err
		}
	}
	if err := a.write(ctx, e); err != nil {
		return err
	}
	if a.newBytes += e.size; a.newBytes < markBytes && a.newEntries < markEntries {
		return nil
	}
	return a.mark(i + 1)
}

// skip counts what has arrived already.
func (u *upload) skip(e entry) {
	if e.mode.IsRegular() {
		u.progress.bytes(e.size)
		u.progress.fileDone()
	}
}

// write sends one entry. Directories are made so that they can be filled.
func (a *attempt) write(ctx context.Context, e entry) error {
	a.newEntries++
	header := tarHeader(e)
	if e.mode.IsDir() {
		header.Mode |= int64(ownerAll)
	}
	if err := a.archive.WriteHeader(header); err != nil {
		return err
	}
	if !e.mode.IsRegular() {
		return nil
	}
	a.progress.file(e.name)
	if _, err := a.tree.copyEntry(ctx, a.progress.count(a.archive), e, a.buffer); err != nil {
		return err
	}
	a.progress.fileDone()
	return nil
}

// mark says how many entries have been sent. A link that turns out to be slow
// gets the rest compressed.
func (a *attempt) mark(entries int) error {
	if a.newEntries == 0 {
		return nil
	}
	a.newEntries, a.newBytes = 0, 0
	if err := a.note(stagedAt, strconv.Itoa(entries)); err != nil {
		return err
	}
	if err := a.archive.Flush(); err != nil {
		return err
	}
	if err := a.packed.mark(); err != nil {
		return err
	}
	if _, is := a.packed.(plain); is && a.link.slow() && !a.host.noGzip.Load() {
		a.squeeze = true
		a.ledger.at = entries
		return errSwitch
	}
	return nil
}

// settle puts the pieces where they belong, and gives the directories that may not be changed their modes.
func (a *attempt) settle(ctx context.Context) error {
	if len(a.ledger.pieces) == 0 && !a.survey.locked {
		return nil
	}
	count := newCounter(a.survey.count)
	err := a.tree.walk(ctx, visitor{
		enter: func(e entry) error {
			p := a.ledger.pieces[count.add(e)]
			if p == nil {
				return nil
			}
			header := tarHeader(e)
			header.Typeflag, header.Size, header.Linkname = tar.TypeLink, 0, p.path()
			return a.archive.WriteHeader(header)
		},
		leave: func(e entry) error {
			if e.mode&ownerAll == ownerAll {
				return nil
			}
			return a.archive.WriteHeader(tarHeader(e))
		},
	})
	if err != nil {
		return err
	}
	return count.check(a.survey.count)
}

// tarHeader writes names as the bytes they are, which GNU's format takes and
// PAX, being UTF-8, does not.
func tarHeader(e entry) *tar.Header {
	h := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     path.Join(stagedTree, e.name),
		Mode:     unixMode(e.mode),
		Size:     e.size,
		Format:   tar.FormatGNU,
	}
	switch {
	case e.mode.IsDir():
		h.Typeflag = tar.TypeDir
		h.Name += "/"
	case e.mode&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		h.Linkname = e.link
	}
	return h
}

// unixMode is a mode's permission, setuid, setgid and sticky bits, as Unix has them.
func unixMode(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for _, b := range []struct {
		flag fs.FileMode
		bit  int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if mode&b.flag != 0 {
			bits |= b.bit
		}
	}
	return bits
}
