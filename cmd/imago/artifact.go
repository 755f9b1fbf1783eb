package main

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// artifact is what a post-processor gets from the one before it in its list: the
// image, or files here.
type artifact struct {
	kind  string // Packer's builder id
	id    string // of images: REGION:ID, between commas
	text  string // for people
	files []string
}

// imageArtifact is the image and its copies.
func imageArtifact(img builder.Image) artifact {
	return artifact{kind: builderID, id: strings.Join(regionIDs(img), ","), text: imageText(img)}
}

// fileArtifact are files.
func fileArtifact(maker string, files []string) artifact {
	return artifact{kind: "packer.post-processor." + maker, text: "Created artifact from files: " + strings.Join(files, ", "), files: files}
}

// artifice hands files on in place of what there is.
func artifice(patterns []string) (artifact, error) {
	var files []string
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return artifact{}, fmt.Errorf("files: %q is not a pattern: %w", p, err)
		}
		if len(found) == 0 {
			return artifact{}, fmt.Errorf("files: nothing here is called %s", p)
		}
		files = append(files, found...)
	}
	return fileArtifact("artifice", files), nil
}

// checksum writes the sums of the artifact's files, and hands on both.
func checksum(ctx context.Context, c template.Checksum, from artifact) (artifact, error) {
	if len(from.files) == 0 {
		return from, nil // an image has none, of which the template's reader has warned
	}
	files := slices.Clone(from.files)
	for _, kind := range c.Types {
		to, err := c.Output(kind)
		if err != nil {
			return from, fmt.Errorf("output: %w", err)
		}
		for _, path := range from.files {
			sum, err := sumOf(ctx, kind, path)
			if err != nil {
				return from, err
			}
			if err := addLine(ctx, to, fmt.Sprintf("%x\t%s", sum, filepath.Base(path))); err != nil {
				return from, err
			}
		}
		if !slices.Contains(files, to) {
			files = append(files, to)
		}
	}
	return fileArtifact("checksum", files), nil
}

// sumOf is a file's checksum.
func sumOf(ctx context.Context, kind, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	}[kind]()
	if _, err := io.Copy(h, untilDone{ctx, f}); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return h.Sum(nil), nil
}

// untilDone reads until a context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

// addLine appends a line to a file that does not have it yet. Builds that do the
// same at the same time wait for each other.
func addLine(ctx context.Context, path, line string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	unlock, err := lockDir(ctx, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if slices.Contains(strings.Split(string(text), "\n"), line) {
		return nil
	}
	return writeFile(path, append(text, line+"\n"...))
}
