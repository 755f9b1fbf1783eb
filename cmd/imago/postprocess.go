package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/builder/template"
)

// postProcess runs a build's post-processors, in the template's order, on the
// image it made, and returns what files they made of it. One that does not succeed ends
// its list, as in Packer; the other lists run, and the image stays.
func (b *bake) postProcess(ctx context.Context, build template.Build, img builder.Image) (made []artifact, err error) {
	var errs []error
	sequence, broken := -1, false
	var current artifact
	for _, p := range build.PostProcessors {
		if ctx.Err() != nil {
			return made, errors.Join(append(errs, context.Cause(ctx))...)
		}
		if p.Sequence != sequence {
			sequence, broken, current = p.Sequence, false, imageArtifact(img)
		}
		if broken {
			continue
		}
		b.view.say(build.Name, heading, "post-processor "+p.Name)
		next, err := b.postProcessOne(ctx, build, p, img, current)
		if err != nil {
			errs, broken = append(errs, fmt.Errorf("%s: post-processor %s: %w; the image %s stays", p.Where, p.Name, err, img.ID)), true
			continue
		}
		if !slices.Equal(next.files, current.files) {
			made = append(made, next)
		}
		current = next
	}
	return made, errors.Join(errs...)
}

// postProcessOne runs one, and returns what the next of its list gets.
func (b *bake) postProcessOne(ctx context.Context, build template.Build, p template.PostProcessor, img builder.Image, from artifact) (artifact, error) {
	switch {
	case p.Manifest != nil:
		return from, b.writeManifest(ctx, build, *p.Manifest, img, from)
	case p.Shell != nil:
		out := b.secrets.Lines(func(text string) { b.view.say(build.Name, output, text) })
		err := p.Shell(ctx, b.facts(build, img), imageEnv(build, img, b.runID), out, out)
		out.Flush()
		return from, err
	case p.Files != nil:
		return artifice(p.Files)
	case p.Checksum != nil:
		return checksum(ctx, *p.Checksum, from)
	case p.Cleaner != nil:
		return from, b.takeAway(ctx, build, *p.Cleaner, img)
	default:
		return from, errors.New("it has nothing to run")
	}
}

// imageEnv tells a script which image it is about.
func imageEnv(build template.Build, img builder.Image, runID string) []string {
	return []string{
		"PACKER_BUILD_NAME=" + build.ScriptName,
		"PACKER_BUILDER_TYPE=" + build.Type,
		"PACKER_RUN_UUID=" + runID,
		"IMAGO_IMAGE_ID=" + img.ID,
		"IMAGO_IMAGE_NAME=" + img.Name,
		"IMAGO_REGION=" + img.Region,
		"IMAGO_ARTIFACT_ID=" + strings.Join(regionIDs(img), ","),
		"IMAGO_SOURCE_IMAGE_ID=" + img.Source.ID,
		"IMAGO_FINGERPRINT=" + img.Fingerprint,
		fmt.Sprintf("IMAGO_REUSED=%v", img.Reused),
	}
}

// facts are Packer's build variables, as far as they outlive the machine.
func (b *bake) facts(build template.Build, img builder.Image) builder.Facts {
	return builder.Facts{
		ID: b.made.instance(build.Name), User: build.Config.SSH.User,
		Region: img.Region, Source: img.Source, RunID: b.runID,
	}
}

// writeManifest is the manifest post-processor.
func (b *bake) writeManifest(ctx context.Context, build template.Build, m template.Manifest, img builder.Image, from artifact) error {
	custom, err := m.Data(b.facts(build, img))
	if err != nil {
		return err
	}
	custom = maps.Clone(custom)
	for name, text := range custom {
		if clean := b.secrets.Clean(text); clean != text {
			custom[name] = clean
			b.view.say(build.Name, warning, fmt.Sprintf("custom_data: %s holds a sensitive variable; %s has %s in its place", name, filepath.Clean(m.Output), redact.Hidden))
		}
	}
	entry := manifestBuild{
		Name:        b.secrets.Clean(build.ScriptName),
		BuilderType: build.Type,
		BuildTime:   time.Now().Unix(),
		Files:       filesIn(from, m.StripPath),
		ArtifactID:  from.id,
		RunUUID:     b.runID,
		CustomData:  custom,
		Fingerprint: img.Fingerprint,
		Reused:      img.Reused,
	}
	if m.StripTime {
		entry.BuildTime = 0
	}
	if err := addToManifest(ctx, m.Output, entry, b.options.template.Force); err != nil {
		return err
	}
	b.view.say(build.Name, detail, "wrote "+filepath.Clean(m.Output))
	return nil
}

// filesIn lists an artifact's files for a manifest. One that is not there has no size.
func filesIn(a artifact, bare bool) (all []manifestFile) {
	for _, path := range a.files {
		f := manifestFile{Name: path}
		if info, err := os.Stat(path); err == nil {
			f.Size = info.Size()
		}
		if bare {
			f.Name = filepath.Base(path)
		}
		all = append(all, f)
	}
	return all
}
