package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// postProcess runs a build's post-processors, in the template's order, on the
// image it made. The first that does not succeed ends them; the image stays.
func (b *bake) postProcess(ctx context.Context, build template.Build, img builder.Image) error {
	for _, p := range build.PostProcessors {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b.view.say(build.Name, heading, "post-processor "+p.Name)
		if err := b.postProcessOne(ctx, build, p, img); err != nil {
			return fmt.Errorf("%s: post-processor %s: %w; the image %s stays", p.Where, p.Name, err, img.ID)
		}
	}
	return nil
}

func (b *bake) postProcessOne(ctx context.Context, build template.Build, p template.PostProcessor, img builder.Image) error {
	switch {
	case p.Manifest != nil:
		return b.writeManifest(ctx, build, *p.Manifest, img)
	case p.Shell != nil:
		out := &lines{each: func(text string) { b.view.say(build.Name, output, text) }}
		err := p.Shell(ctx, b.facts(build, img), imageEnv(build, img, b.runID), out, out)
		out.flush()
		return err
	default:
		return errors.New("it has nothing to run")
	}
}

// imageEnv tells a script which image it is about.
func imageEnv(build template.Build, img builder.Image, runID string) []string {
	return []string{
		"PACKER_BUILD_NAME=" + build.Name,
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
func (b *bake) writeManifest(ctx context.Context, build template.Build, m template.Manifest, img builder.Image) error {
	custom, err := m.Data(b.facts(build, img))
	if err != nil {
		return err
	}
	entry := manifestBuild{
		Name:        build.Name,
		BuilderType: build.Type,
		BuildTime:   time.Now().Unix(),
		ArtifactID:  strings.Join(regionIDs(img), ","),
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

// lines is a writer that hands on whole lines.
type lines struct {
	each func(string)
	held []byte
}

var _ io.Writer = (*lines)(nil)

func (l *lines) Write(p []byte) (int, error) {
	l.held = append(l.held, p...)
	for {
		i := bytes.IndexByte(l.held, '\n')
		if i < 0 {
			return len(p), nil
		}
		l.each(string(l.held[:i]))
		l.held = l.held[i+1:]
	}
}

// flush hands on a last line without an end.
func (l *lines) flush() {
	if len(l.held) > 0 {
		l.each(string(l.held))
		l.held = nil
	}
}
