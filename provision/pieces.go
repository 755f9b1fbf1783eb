package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

const (
	// channelWindow is what OpenSSH's server takes on a channel until it is read. A
	// connection has, as a rule, two to four times that: two channels fill it.
	channelWindow   = 2 << 20
	channelsPerHost = 2

	// sendersPerChannel, each with a buffer under way, fill a channel's window.
	sendersPerChannel = 8
	senderBuffer      = 256 << 10

	// Another connection takes half a second over a link where it helps: it is made for
	// each so much that there is to send.
	bytesPerHost = 48 << 20
	mostHosts    = 3
)

// pieces sends the files of one attempt that travel beside the stream: by SFTP,
// over several channels and connections when the link is long.
type pieces struct {
	*upload
	said *announcement

	starting sync.Mutex
	ctx      context.Context // of the senders; nil before there are any
	cancel   context.CancelCauseFunc
	dials    context.CancelFunc // ends the connections that are not made yet
	work     chan segment
	active   sync.WaitGroup
	first    *sftp.Client
	dir      string // the staging directory

	mu  sync.Mutex
	err error // the first one
}

func newPieces(u *upload, said *announcement) *pieces { return &pieces{upload: u, said: said} }

// take sends an entry as a piece, if that is better than as a part of the stream.
// Half of it may be there, from a stream that was cut off.
func (p *pieces) take(ctx context.Context, index int, e entry, half bool) (taken bool, err error) {
	if !e.mode.IsRegular() || e.size < pieceLeast || e.source == "" || p.host.noSFTP.Load() {
		return false, nil
	}
	part, err := p.judge(index, e, half)
	if part == nil || err != nil {
		return false, err
	}
	if err := p.start(ctx); err != nil {
		return false, err
	}
	if half {
		p.adopt(part, e)
	}
	p.ledger.addPiece(part)
	return true, p.send(ctx, part, e)
}

// judge returns a piece for a file that is to be one.
func (p *pieces) judge(index int, e entry, half bool) (*piece, error) {
	part := &piece{index: index, acked: map[int64]bool{}}
	if !half && !p.host.far() && e.size < segmentSize {
		return nil, nil
	}
	in, err := openRegular(e)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	part.sparse = isSparse(info)
	if part.sparse || half || p.host.far() && isDense(in, e.size) {
		return part, nil
	}
	return nil, nil
}

// adopt makes a piece of what has arrived of a file in a stream that was cut off.
func (p *pieces) adopt(part *piece, e entry) {
	there := path.Join(p.dir, stagedTree, e.name)
	info, err := p.first.Stat(there)
	if err != nil || p.first.PosixRename(there, path.Join(p.dir, part.path())) != nil {
		return // nothing has arrived
	}
	for at := int64(0); at+segmentSize <= info.Size(); at += segmentSize {
		part.acked[at] = true
	}
}

// send gives what is missing of a piece to the senders.
func (p *pieces) send(ctx context.Context, part *piece, e entry) error {
	if part.whole {
		p.skip(e)
		return nil
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	segments, err := part.segments(e)
	if err != nil {
		return err
	}
	p.progress.file(e.name)
	p.progress.bytes(e.size - lengthOf(segments)) // holes, and what is there
	for _, s := range segments {
		select {
		case p.work <- s:
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// start starts the senders, unless they are there. A machine without SFTP gets
// everything in the stream.
func (p *pieces) start(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.ctx != nil {
		return nil
	}
	where, err := p.said.await(ctx)
	if err != nil {
		return err
	}
	life, cancel := context.WithCancelCause(context.WithoutCancel(ctx)) // stop ends it
	client, err := p.host.openSFTP(life, p.tree.Sudo)
	if err != nil {
		cancel(nil)
		if ctx.Err() != nil || errors.Is(err, ErrLost) {
			return causeOr(ctx, err)
		}
		p.host.noSFTP.Store(true)
		return errAgain
	}
	p.ctx, p.cancel, p.dir, p.first, p.work = life, cancel, where.dir, client, make(chan segment)
	p.active.Go(func() { p.lane(p.host, client) })
	dialing, stop := context.WithCancel(life)
	p.dials = stop
	if p.host.far() {
		p.widen(dialing)
	}
	return nil
}

// widen opens more channels, on this connection and on others.
func (p *pieces) widen(ctx context.Context) {
	for range channelsPerHost - 1 {
		p.active.Go(func() { p.open(p.host) })
	}
	for range min(p.survey.bytes/bytesPerHost, mostHosts-1) {
		p.active.Go(func() {
			h, err := p.host.again(ctx)
			if err != nil {
				return // without it, it takes longer
			}
			defer h.Close()
			var channels sync.WaitGroup
			for range channelsPerHost {
				channels.Go(func() { p.open(h) })
			}
			channels.Wait()
		})
	}
}

// open makes a lane of another channel. Without it, it takes longer.
func (p *pieces) open(h *Host) {
	if client, err := h.openSFTP(p.ctx, p.tree.Sudo); err == nil {
		p.lane(h, client)
	}
}

// lane is a channel and its senders, until there is no more to send.
func (p *pieces) lane(h *Host, client *sftp.Client) {
	var senders, closing sync.WaitGroup
	for range sendersPerChannel {
		senders.Go(func() {
			s := &sender{pieces: p, host: h, client: client, closing: &closing}
			for {
				part, ok := p.next()
				if !ok {
					return
				}
				if err := s.send(part); err != nil {
					p.fail(h.transferError(err))
					return
				}
			}
		})
	}
	senders.Wait()
	closing.Wait()
	client.Close()
}

// next is the next segment to send, or false when there is none any more.
func (p *pieces) next() (segment, bool) {
	select {
	case s, ok := <-p.work:
		return s, ok
	case <-p.ctx.Done():
		return segment{}, false
	}
}

// fail ends the sending because of err.
func (p *pieces) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		p.cancel(err)
	}
}

// wait waits until everything has arrived.
func (p *pieces) wait() error {
	if p.ctx == nil {
		return nil
	}
	close(p.work)
	p.dials()
	p.active.Wait()
	return p.failure()
}

// stop ends the sending, complete or not, and returns what went wrong. When ctx
// has ended it does not wait: the machine may not answer any more.
func (p *pieces) stop(ctx context.Context) error {
	if p.ctx == nil {
		return nil
	}
	p.dials()
	p.cancel(nil)
	ended := make(chan struct{})
	go func() { p.active.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return p.failure()
}

func (p *pieces) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// sender sends one segment after another.
type sender struct {
	*pieces
	host    *Host
	client  *sftp.Client
	closing *sync.WaitGroup
	buffer  []byte
}

// send sends a segment. What is to be done after that does not hold up the next one.
func (s *sender) send(part segment) error {
	in, err := openRegular(part.entry)
	if err != nil {
		return err
	}
	out, err := s.create(path.Join(s.dir, part.piece.path()))
	if err != nil {
		in.Close()
		return fmt.Errorf("%s: %w", part.entry.source, err)
	}
	err = s.copy(in, out, part)
	arrived := err == nil
	s.closing.Go(func() {
		defer in.Close()
		var err error
		if arrived && part.piece.arrive(part) {
			err = s.finish(in, out, part)
		}
		if err := errors.Join(err, out.Close()); err != nil {
			s.fail(s.host.transferError(err))
		}
	})
	return err
}

// create opens a file to write to. One that was complete when the connection was
// lost may have a mode that forbids it.
func (s *sender) create(name string) (*sftp.File, error) {
	out, err := s.client.OpenFile(name, os.O_WRONLY|os.O_CREATE)
	if !s.resumed || !errors.Is(err, fs.ErrPermission) {
		return out, err
	}
	if err := s.client.Chmod(name, 0o600); err != nil {
		return nil, err
	}
	return s.client.OpenFile(name, os.O_WRONLY|os.O_CREATE)
}

// copy sends what the segment holds. Each write is many packets, all under way at once.
func (s *sender) copy(in *os.File, out *sftp.File, part segment) error {
	if s.buffer == nil {
		s.buffer = make([]byte, senderBuffer)
	}
	for from, end := part.from, part.from+part.len; from < end; {
		n, err := in.ReadAt(s.buffer[:min(senderBuffer, end-from)], from)
		if errors.Is(err, io.EOF) && from+int64(n) < end {
			return fmt.Errorf("%s shrank while it was read: it had %d bytes when the upload began", part.entry.source, part.entry.size)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("upload source: %w", err)
		}
		if _, err := out.WriteAt(s.buffer[:n], from); err != nil {
			return fmt.Errorf("%s: %w", part.entry.source, err)
		}
		from += int64(n)
		s.progress.bytes(int64(n))
	}
	return nil
}

// finish completes a piece whose segments are all there.
func (s *sender) finish(in *os.File, out *sftp.File, part segment) error {
	if info, err := in.Stat(); err != nil || info.Size() != part.entry.size {
		return fmt.Errorf("%s grew while it was read: it had %d bytes when the upload began", part.entry.source, part.entry.size)
	}
	if part.piece.sparse { // it may end in a hole
		if err := out.Truncate(part.entry.size); err != nil {
			return err
		}
	}
	if err := out.Chmod(part.entry.mode); err != nil {
		return err
	}
	part.piece.finish()
	s.progress.fileDone()
	return nil
}

// afterEOF is how long a connection may take to end after a channel has.
const afterEOF = 2 * time.Second

// transferError is err, or that the connection was lost.
func (h *Host) transferError(err error) error {
	if !errors.Is(err, sftp.ErrSSHFxConnectionLost) && !errors.Is(err, io.ErrClosedPipe) && !isLoss(err) {
		return err
	}
	timer := time.NewTimer(afterEOF)
	defer timer.Stop()
	select {
	case <-h.done:
		return h.lostError()
	case <-timer.C:
		return err
	}
}
