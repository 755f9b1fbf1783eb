package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/builder/project"
)

// tidyEnvironments finishes, in each environment that there is in some regions,
// what releases that were killed have left, and takes down what has been kept warm
// for long enough. One that is being changed is left alone.
func (s *session) tidyEnvironments(ctx context.Context, o gcOptions, c clients, regions []string, out *collection) error {
	if len(o.builds) > 0 {
		return nil
	}
	var errs []error
	for _, region := range regions {
		c.config.Region = region
		d := c.deployer()
		d.Holder = holder()
		all, err := d.Environments(ctx)
		if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorCode() == "UnauthorizedOperation" {
			continue // whoever may not look releases nothing
		}
		errs = append(errs, err)
		for _, e := range all {
			e.Region, e.KeepWarm = region, project.DefaultKeepWarm
			errs = append(errs, s.tidyEnvironment(ctx, o, d, e, out))
		}
	}
	return errors.Join(errs...)
}

func (s *session) tidyEnvironment(ctx context.Context, o gcOptions, d *deploy.Deployer, e deploy.Environment, out *collection) error {
	tell := func(format string, args ...any) {
		line := fmt.Sprintf("%s %s in %s: ", e.Application, e.Name, e.Region) + fmt.Sprintf(format, args...)
		out.environments = append(out.environments, line)
		s.say("imago: %s", line)
	}
	if o.plan {
		over, err := d.Over(ctx, e)
		for _, r := range over {
			tell("release %d would be taken down", r.Number)
		}
		return err
	}
	d.Notify = func(event deploy.Event) {
		if event.Change && event.Step != "lease" {
			tell("%s", event.Text)
		}
	}
	err := d.Tidy(ctx, e)
	if held := new(deploy.HeldError); errors.As(err, &held) {
		s.say("imago: %s %s in %s is left alone: %v", e.Application, e.Name, e.Region, held)
		return nil
	}
	if err != nil {
		return fmt.Errorf("tidy up %s %s in %s: %w", e.Application, e.Name, e.Region, err)
	}
	return nil
}
