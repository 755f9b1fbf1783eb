package provision

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/sync/errgroup"
)

const (
	// callsInFlight is for directories, links and small files: each costs a few
	// round trips and little memory.
	callsInFlight = 64

	// bigFilesInFlight is for files that fill the window by themselves.
	bigFilesInFlight = 4
	wideFile         = 256 << 10
)

// sendBySFTP sends everything to a machine without tar: the staging directory is
// filled file by file, many at once. It keeps the tree's entries in memory.
func (u *upload) sendBySFTP(ctx context.Context) error {
	said := newAnnouncement()
	if err := u.receive(ctx, "prepare", nil, said); err != nil {
		return err
	}
	where, err := said.await(ctx)
	if err != nil {
		return err
	}
	u.staging = where
	if err := u.fill(ctx, path.Join(where.dir, stagedTree)); err != nil {
		return causeOr(ctx, u.host.transferError(err))
	}
	return u.receive(ctx, "place", nil, nil)
}

// fill makes the tree at root: directories level by level, then everything
// else, then the directories' modes, which may forbid writing.
func (u *upload) fill(ctx context.Context, root string) error {
	client, err := u.host.openSFTP(ctx, u.tree.Sudo)
	if err != nil {
		return err
	}
	defer client.Close()
	var all []entry
	count := newCounter(u.survey.count)
	err = u.tree.walk(ctx, visitor{enter: func(e entry) error { all = append(all, e); count.add(e); return nil }})
	if err == nil {
		err = count.check(u.survey.count)
	}
	if err != nil {
		return err
	}
	levels, small, big := sortEntries(all)
	for _, level := range levels {
		err := each(ctx, callsInFlight, level, func(_ context.Context, e entry) error {
			return named("make directory", e, client.Mkdir(path.Join(root, e.name)))
		})
		if err != nil {
			return err
		}
	}
	send := func(ctx context.Context, e entry) error {
		return u.tree.send(ctx, client, e, path.Join(root, e.name), u.progress)
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

// sortEntries returns the directories by depth, and the rest by size.
func sortEntries(all []entry) (levels [][]entry, small, big []entry) {
	for _, e := range all {
		switch {
		case e.mode.IsDir():
		case e.size >= wideFile:
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
