package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/redact"
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
		out := b.secrets.Lines(func(text string) { b.view.say(build.Name, output, text) })
		err := p.Shell(ctx, b.facts(build, img), imageEnv(build, img, b.runID), out, out)
		out.Flush()
		return err
	default:
		return errors.New("it has nothing to run")
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
func (b *bake) writeManifest(ctx context.Context, build template.Build, m template.Manifest, img builder.Image) error {
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
