package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// manifest is the file of Packer's post-processor of that name.
type manifest struct {
	Builds      []manifestBuild `json:"builds"`
	LastRunUUID string          `json:"last_run_uuid"`
}

// manifestBuild is one image in it. The order of the fields is the order in the file.
type manifestBuild struct {
	Name        string            `json:"name"`
	BuilderType string            `json:"builder_type"`
	BuildTime   int64             `json:"build_time,omitempty"` // Unix seconds
	Files       []manifestFile    `json:"files"`                // an image has none: null
	ArtifactID  string            `json:"artifact_id"`
	RunUUID     string            `json:"packer_run_uuid"`
	CustomData  map[string]string `json:"custom_data"`
	Fingerprint string            `json:"fingerprint,omitempty"` // these two are imago's own
	Reused      bool              `json:"reused,omitempty"`
}

// manifestFile is a file that artifice or checksum handed on.
type manifestFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// addToManifest appends a build to a manifest file, which is made when it is
// missing. fresh drops what other runs have written (-force). Other processes
// that do the same at the same time wait for each other.
func addToManifest(ctx context.Context, path string, b manifestBuild, fresh bool) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	unlock, err := lockDir(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	m, mode, err := readManifest(path)
	if err != nil {
		return err
	}
	if fresh && m.LastRunUUID != b.RunUUID {
		m.Builds = nil
	}
	m.Builds = append(m.Builds, b)
	m.LastRunUUID = b.RunUUID
	return replaceFile(path, mode, m)
}

// readManifest reads a manifest and its file's mode; a missing or empty file is an empty manifest.
func readManifest(path string) (m manifest, mode fs.FileMode, err error) {
	const usual = 0o644
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, usual, nil
	}
	if err != nil {
		return m, usual, err
	}
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if len(data) == 0 {
		return m, mode, nil
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, mode, fmt.Errorf("%s is not a manifest (%w); move it away", path, err)
	}
	return m, mode, nil
}

// replaceFile writes v as JSON beside path and renames it there.
func replaceFile(path string, mode fs.FileMode, v any) error {
	return replaceWith(path, mode, func(w io.Writer) error { return writeJSON(w, v) })
}

// replaceWith writes a file beside path and renames it there, so that a reader
// never sees half of it.
func replaceWith(path string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of no effect after the rename
	err = errors.Join(write(f), f.Chmod(mode), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
