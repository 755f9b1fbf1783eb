package builder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/provision"
)

// The tags by which a finished image is found again, and that say what has
// changed since it was made. The second holds the beginnings of the digests of
// the fingerprint's parts.
const (
	TagFingerprint = "imago:fingerprint"
	TagInputs      = "imago:inputs"
)

// maxTags is how many AWS takes of one resource.
const maxTags = 50

// inputTags are the fingerprint's tags.
func (p *Plan) inputTags() map[string]string {
	if p.Fingerprint == "" {
		return nil
	}
	return map[string]string{TagFingerprint: p.Fingerprint, TagInputs: shortInputs(p.Source.ID, p.Parts)}
}

// fitTags leaves imago's tags out where AWS has no room for them beside the
// user's own: what is left out first is needed least. TagOrder comes, and TagDraft may.
func fitTags(tags map[string]string) map[string]string {
	for _, key := range []string{TagInputs, TagFingerprint} {
		if len(tags) >= maxTags-1 {
			delete(tags, key)
		}
	}
	return tags
}

// forgetFingerprint is for an image that is not what the plan says.
func (p *Plan) forgetFingerprint() {
	p.Fingerprint = ""
	for _, tags := range []*map[string]string{&p.ImageTags, &p.SnapshotTags} {
		*tags = merge(*tags)
		delete(*tags, TagFingerprint)
		delete(*tags, TagInputs)
	}
}

// sameTrees says whether the files that were uploaded are those that the
// fingerprint is of.
func (b *Builder) sameTrees(ctx context.Context, p Plan) bool {
	if p.Fingerprint == "" {
		return true
	}
	now := Plan{Config: p.Config}
	if err := b.planTrees(ctx, &now); ctx.Err() != nil || err == nil && slices.Equal(listings(now), listings(p)) {
		return true
	}
	b.warn("files to upload have changed while the build ran: the image gets no fingerprint, and will not be reused")
	return false
}

// listings are all listings of a plan, in order.
func listings(p Plan) (all []provision.Listing) {
	for i := range p.Config.Steps {
		all = append(all, p.Listings[i]...)
	}
	return all
}

// shortInputs says in a tag's value what decided an image:
// "1 imago=0a1b2c3d source=ami-… options=4e5f6071 steps=8293a4b5,c6d7e8f9". AWS
// takes 256 characters, and it never has more.
func shortInputs(source string, parts []Part) string {
	var steps []string
	for _, s := range shortSteps(parts[fixedParts:]) {
		steps = append(steps, s.Digest)
	}
	return fmt.Sprintf("1 imago=%s source=%s options=%s steps=%s",
		short(parts[imagoPart].Digest), source, short(parts[optionsPart].Digest), strings.Join(steps, ","))
}

// maxShortSteps is for how many steps a tag has room.
const maxShortSteps = 20

// shortSteps are steps with the beginnings of their digests. Those for which there is no room are one.
func shortSteps(steps []Part) (all []Part) {
	if len(steps) > maxShortSteps {
		rest := sha256.New()
		for _, s := range steps[maxShortSteps-1:] {
			writeText(rest, s.Digest)
		}
		steps = append(slices.Clone(steps[:maxShortSteps-1]), Part{
			Title: fmt.Sprintf("the steps from %d on", maxShortSteps), Digest: hex.EncodeToString(rest.Sum(nil)),
		})
	}
	for _, s := range steps {
		all = append(all, Part{Title: s.Title, Digest: short(s.Digest)})
	}
	return all
}

// short is enough of a digest to tell two states of one part apart.
func short(digest string) string { return digest[:min(8, len(digest))] }

// record is what this computer remembers of a fingerprint's inputs. The digests of
// a tree's files are beside it, in files of their own.
type record struct {
	Source string `json:"source"`
	Parts  []Part `json:"parts"`
}

const recordFile = "inputs.json"

// How many trees and fingerprints are remembered.
const (
	maxKnownTrees = 200
	maxRecords    = 50
)

// keepInputs remembers what the image is made of, to say later what has changed.
// What cannot be written is only missed in that.
func (b *Builder) keepInputs(p Plan) {
	if b.Cache == "" || p.Fingerprint == "" {
		return
	}
	dir := b.recordDir(p.Fingerprint)
	data, err := json.Marshal(record{p.Source.ID, p.Parts})
	if err = errors.Join(err, os.MkdirAll(dir, 0o700)); err == nil {
		now := time.Now() // it was used, and is forgotten later
		err = errors.Join(os.WriteFile(filepath.Join(dir, recordFile), data, 0o600), os.Chtimes(dir, now, now))
	}
	for i, s := range p.Config.Steps {
		for j, t := range uploads(s) {
			if from := b.knownFile(t); from != "" && err == nil {
				to := filepath.Join(dir, treeFile(i, j))
				os.Remove(to) // of the same fingerprint, so the same but for times
				err = os.Link(from, to)
			}
		}
	}
	if err != nil && b.Log != nil {
		b.Log.Debug("what the image is made of is not remembered", "why", err)
	}
	forgetOldest(filepath.Join(b.Cache, "fingerprints"), maxRecords)
	forgetOldest(filepath.Join(b.Cache, "trees"), maxKnownTrees)
}

func (b *Builder) recordDir(fingerprint string) string {
	return filepath.Join(b.Cache, "fingerprints", fingerprint)
}

func treeFile(step, tree int) string { return fmt.Sprintf("%d.%d.tree", step, tree) }

// knownFile is where the digests of a tree's files are remembered; empty when they are not.
func (b *Builder) knownFile(t provision.Tree) string {
	path, err := filepath.Abs(t.Source)
	dir := filepath.Join(b.Cache, "trees")
	if b.Cache == "" || t.Source == "" || err != nil || os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	sum := sha256.New()
	for _, list := range [][]string{{path}, t.Include, t.Exclude} {
		writeText(sum, fmt.Sprint(len(list)))
		for _, s := range list {
			writeText(sum, s)
		}
	}
	return filepath.Join(dir, hex.EncodeToString(sum.Sum(nil)))
}

// forgetOldest leaves the newest entries of a directory.
func forgetOldest(dir string, most int) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= most {
		return
	}
	age := func(e os.DirEntry) int64 {
		if info, err := e.Info(); err == nil {
			return info.ModTime().UnixNano()
		}
		return 0
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(age(b), age(a)) })
	for _, e := range entries[most:] {
		os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}
