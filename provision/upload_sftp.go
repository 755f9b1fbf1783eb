package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/sync/errgroup"
)

const (
	// callsInFlight is for directories, links and small files: each costs a few
	// round trips and little memory.
	callsInFlight = 64

	// bigFilesInFlight is for files that fill the window by themselves.
	bigFilesInFlight = 4
	bigFile          = 256 << 10

	discardTime = 15 * time.Second
)

// uploadSFTP does what uploadTar does on a machine without tar: the staging
// directory is filled file by file, many at once.
func (h *Host) uploadSFTP(ctx context.Context, t Tree, s *survey, progress *meter) (err error) {
	out, err := h.receive(ctx, t, s, "prepare", nil)
	if err != nil {
		return err
	}
	_, stage, ok := strings.Cut(out, "imago-stage:")
	if !ok {
		return fmt.Errorf("the machine names no staging directory, it says %q", out)
	}
	stage = strings.TrimSuffix(stage, "\n")
	defer func() {
		if err != nil {
			err = h.discard(ctx, t, s, stage, err)
		}
	}()
	if err := h.fill(ctx, t, s, path.Join(stage, stagedTree), progress); err != nil {
		return causeOr(ctx, err)
	}
	_, err = h.receive(ctx, t, s, "place", nil, stage)
	return err
}

// discard removes what was staged before err happened, and returns err with
// what the machine has to say about it: SFTP itself says no more than "Failure".
func (h *Host) discard(ctx context.Context, t Tree, s *survey, stage string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	why, also := h.receive(ctx, t, s, "discard", nil, stage)
	if why = strings.TrimSpace(why); why != "" {
		err = fmt.Errorf("%w (%s)", err, why)
	}
	return errors.Join(err, also)
}

// fill makes the tree at root: directories level by level, then everything
// else, then the directories' modes, which may forbid writing.
func (h *Host) fill(ctx context.Context, t Tree, s *survey, root string, progress *meter) error {
	client, err := h.openSFTP(ctx, t.Sudo)
	if err != nil {
		return err
	}
	defer client.Close()
	levels, small, big := s.sort()
	for _, level := range levels {
		err := each(ctx, callsInFlight, level, func(_ context.Context, e entry) error {
			return named("make directory", e, client.Mkdir(path.Join(root, e.name)))
		})
		if err != nil {
			return err
		}
	}
	send := func(ctx context.Context, e entry) error {
		return t.send(ctx, client, e, path.Join(root, e.name), progress)
	}
	if err := each(ctx, callsInFlight, small, send); err != nil {
		return err
	}
	if err := each(ctx, bigFilesInFlight, big, send); err != nil {
		return err
	}
	for _, level := range slices.Backward(levels) {
		err := each(ctx, callsInFlight, level, func(_ context.Context, e entry) error {
			return named("set the mode of", e, client.Chmod(path.Join(root, e.name), e.mode))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sort returns the directories by depth, and the rest by size.
func (s *survey) sort() (levels [][]entry, small, big []entry) {
	for _, e := range s.entries {
		switch {
		case e.mode.IsDir():
		case e.size >= bigFile:
			big = append(big, e)
			continue
		default:
			small = append(small, e)
			continue
		}
		depth := 0
		if e.name != "" {
			depth = 1 + strings.Count(e.name, "/")
		}
		for len(levels) <= depth {
			levels = append(levels, nil)
		}
		levels[depth] = append(levels[depth], e)
	}
	return levels, small, big
}

// each calls do for all entries, up to limit at once, until one fails.
func each(ctx context.Context, limit int, entries []entry, do func(context.Context, entry) error) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(limit)
	for _, e := range entries {
		if working.Err() != nil {
			break
		}
		group.Go(func() error { return do(working, e) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

func named(doing string, e entry, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %q: %w", doing, e.name, err)
}

// send makes one file or link.
func (t Tree) send(ctx context.Context, client *sftp.Client, e entry, dest string, progress *meter) error {
	if e.mode&fs.ModeSymlink != 0 {
		return named("make link", e, client.Symlink(e.link, dest))
	}
	progress.file(e.name)
	if err := t.sendFile(ctx, client, e, dest, progress); err != nil {
		return err
	}
	progress.fileDone()
	return nil
}

func (t Tree) sendFile(ctx context.Context, client *sftp.Client, e entry, dest string, progress *meter) error {
	in, err := t.open(ctx, e)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := client.OpenFile(dest, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	// By name and not ReadFrom or io.Copy, which write one packet per round trip
	// from a reader that does not tell its size.
	packets := int(min(requestsInFlight, e.size/(32<<10)+1))
	_, err = out.ReadFromWithConcurrency(&countingReader{in, progress}, packets)
	if err == nil {
		err = out.Chmod(e.mode)
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}
