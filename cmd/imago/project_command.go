package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/imagobuild/imago/builder/project"
)

// runCommand runs an image's build command, unless its inputs and its output are
// what they were when it last ended well.
func (b *bake) runCommand(ctx context.Context, img project.Image) error {
	c := img.Command
	if c == nil {
		return nil
	}
	unlock, err := b.lockCommand(ctx, img)
	if err != nil {
		return err
	}
	defer unlock()
	if unchanged, err := b.commandIsDone(ctx, img); err != nil {
		return err
	} else if unchanged {
		b.view.say(img.Name, detail, c.Line+" is not run: its inputs and its output are what they were")
		return nil
	}
	b.view.say(img.Name, heading, "build command: "+c.Line)
	out := b.secrets.Lines(func(text string) { b.view.say(img.Name, output, text) })
	err = c.Run(ctx, b.chain.project, img.Name, out, out)
	out.Flush()
	if err != nil {
		return fmt.Errorf("the build command: %w", err)
	}
	return b.rememberCommand(ctx, img)
}

// lockCommand waits until no other bake on this computer runs the image's build
// command, which would write the same output. Where nothing can be kept, it does not.
func (b *bake) lockCommand(ctx context.Context, img project.Image) (unlock func(), err error) {
	name, err := commandFile(img)
	if err != nil {
		return nil, err
	}
	dir := name + ".lock"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.log().Debug("nothing is locked", "of", img.Command.Line, "error", err)
		return func() {}, nil
	}
	told := time.AfterFunc(time.Second, func() {
		b.view.say(img.Name, detail, "waits for another bake's build command, which makes the same output")
	})
	defer told.Stop()
	return lockDir(ctx, dir)
}

// commandIsDone says whether an image's build command need not be run.
func (b *bake) commandIsDone(ctx context.Context, img project.Image) (bool, error) {
	digest, err := img.Command.Digest(ctx, b.chain.project)
	if err != nil || digest == "" {
		return false, err
	}
	name, err := commandFile(img)
	if err != nil {
		return false, err
	}
	was, err := os.ReadFile(name)
	return err == nil && string(was) == digest, nil
}

// rememberCommand notes what a command has made of what. Without it, it is run again.
func (b *bake) rememberCommand(ctx context.Context, img project.Image) error {
	digest, err := img.Command.Digest(ctx, b.chain.project)
	if err != nil || digest == "" {
		return err
	}
	name, err := commandFile(img)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err == nil {
		err = os.WriteFile(name, []byte(digest), 0o600)
	} else {
		b.log().Debug("nothing is remembered", "of", img.Command.Line, "error", err)
	}
	return nil
}

// commandFile is where the digest of an image's build command is kept.
func commandFile(img project.Image) (string, error) {
	id, err := img.Command.ID(img.Name)
	return filepath.Join(inputsDir(), "commands", id), err
}
