package provision

import (
	"bufio"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
)

const (
	// far is the round trip from which on a channel's window of 2 MiB, and not the
	// sender, bounds what is sent: to 200 MB/s.
	far = 10 * time.Millisecond

	// veryFar is the round trip from which on compressing keeps up with several channels.
	veryFar = 40 * time.Millisecond

	// slow is a rate, in bytes a second, at which compressing gains time: it is
	// several times faster than that.
	slow = 30 << 20

	// A link has shown how fast it is after so much data and so much waiting for it.
	shownBytes   = 2 << 20
	shownWaiting = 250 * time.Millisecond
)

// link is the way to the machine, and knows how long was waited for it.
type link struct {
	w      io.Writer
	bytes  int64
	waited time.Duration
}

// Write implements io.Writer.
func (l *link) Write(p []byte) (int, error) {
	start := time.Now()
	n, err := l.w.Write(p)
	l.waited += time.Since(start)
	l.bytes += int64(n)
	return n, err
}

// slow reports whether the link, shared by streams like this one, has shown that
// it is slower than compressing. What a channel's window takes at once says nothing.
func (l *link) slow(streams int) bool {
	beyond := l.bytes - channelWindow
	return beyond >= shownBytes && l.waited >= shownWaiting && float64(beyond)*float64(streams) < slow*l.waited.Seconds()
}

// packing is how a stream is packed for a link.
type packing interface {
	io.Writer
	// mark is called now and then, between two entries.
	mark() error
	// finish ends the stream.
	finish() error
}

// plain sends a stream as it is. tar.Writer writes headers of 512 bytes, each of
// which would be a packet of its own.
type plain struct{ *bufio.Writer }

func newPlain(l *link) packing { return plain{bufio.NewWriterSize(l, 256<<10)} }

func (p plain) mark() error   { return nil }
func (p plain) finish() error { return p.Flush() }

// gzipped compresses a stream, as hard as the link leaves time for.
type gzipped struct {
	*gzip.Writer
	out   *bufio.Writer
	link  *link
	level int

	since  time.Time     // when the level was chosen
	waited time.Duration // for the link, at that time
}

// Levels of gzip: 6 has nearly all of the gain; above it there is little left to gain, at several times the work.
const (
	leastLevel = 1
	firstLevel = 4
	mostLevel  = 7
)

func newGzipped(l *link) packing {
	out := bufio.NewWriterSize(l, 64<<10)
	z := &gzipped{out: out, link: l, level: firstLevel, since: time.Now()}
	z.Writer, _ = gzip.NewWriterLevel(out, z.level) // an error: there is no such level
	return z
}

// mark changes the level when most of the time went into compressing, or next to
// none of it. A change begins another gzip member, which gzip -d reads on.
func (z *gzipped) mark() error {
	total, waited := time.Since(z.since), z.link.waited-z.waited
	level := z.level
	switch {
	case waited < total/4:
		level = max(level-1, leastLevel)
	case waited > total*3/4:
		level = min(level+1, mostLevel)
	}
	z.since, z.waited = time.Now(), z.link.waited
	if level == z.level {
		return nil
	}
	z.level = level
	if err := z.Writer.Close(); err != nil {
		return err
	}
	z.Writer, _ = gzip.NewWriterLevel(z.out, level)
	return nil
}

func (z *gzipped) finish() error {
	if err := z.Writer.Close(); err != nil {
		return err
	}
	return z.out.Flush()
}
