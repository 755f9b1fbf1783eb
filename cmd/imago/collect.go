package main

import (
	"context"
	"errors"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/imagobuild/imago/builder/gc"
	"github.com/imagobuild/imago/builder/journal"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/template"
)

// gc is the command: it reads the journals, then looks into each account that
// they speak of. In this order, since a build that begins in between is in no
// journal that was read, and what it makes has not expired.
func (s *session) gc(ctx context.Context, o gcOptions) error {
	dir, err := journalDir()
	if err != nil {
		return err
	}
	found, err := journal.Read(dir, !o.plan)
	if err != nil {
		s.say("imago: warning: journals that cannot be read do not count: %v", err)
	}
	defer func() {
		for _, f := range found {
			f.Close()
		}
	}()
	all, others := o.reaches(found)
	var out collection
	var errs []error
	for i, r := range all {
		err := s.collect(ctx, o, r, &out)
		if i == 0 && len(all) > 1 && is[*usageError](err) && o.profile == "" {
			continue // no settings of one's own, but the journals have some
		}
		errs = append(errs, err)
	}
	if others > 0 {
		s.say("imago: %s elsewhere: run imago gc with --local, without it, or without --profile", plural(others, "build"))
	}
	return errors.Join(append(errs, s.printCollection(o, out, errs))...)
}

// collection is what a collection did, or would do.
type collection struct {
	remove, keep []gc.Verdict
	environments []string // what was done in those that are released to
}

// collect looks into one account, and takes away what is to go.
func (s *session) collect(ctx context.Context, o gcOptions, r reach, out *collection) error {
	clients, err := s.reach(ctx, r.via, r.known(o.regions))
	if err != nil {
		return err
	}
	c := &gc.Collector{
		InRegion: func(region string) gc.EC2 { return (*ec2Calls)(clients.ec2(region)) },
		Profiles: clients.profiles(),
		Regions:  r.regions(clients.config.Region, o.regions), Only: o.builds,
		OnWait: func(d time.Duration) {
			s.say("imago: a build ended a moment ago; waiting up to %s for AWS to list all that it made", took(d))
		},
		OnRemoved: func(v gc.Verdict, err error) {
			if err == nil {
				out.remove = append(out.remove, v)
				s.say("imago: removed %s in %s, of build %s: %s", v, v.Region, v.Build, v.Why)
			}
		},
	}
	for _, f := range r.journals {
		b := f.Build
		if b.State == gc.Left && slices.Contains(o.builds, b.ID) {
			b.State, b.Why = gc.Gone, "asked for by its id"
		}
		c.Builds = append(c.Builds, b)
	}
	c.Account = accountOf(ctx, clients, c.Builds)
	if o.plan {
		plan, err := c.Plan(ctx)
		out.add(plan)
		return errors.Join(err, s.tidyEnvironments(ctx, o, clients, c.Regions, out))
	}
	settled, err := c.Collect(ctx)
	err = errors.Join(err, s.tidyEnvironments(ctx, o, clients, c.Regions, out))
	for _, f := range r.journals {
		if slices.Contains(settled, f.Build.ID) {
			err = errors.Join(err, f.Remove())
		}
	}
	return err
}

// add sorts verdicts.
func (out *collection) add(plan []gc.Verdict) {
	for _, v := range plan {
		if v.Remove {
			out.remove = append(out.remove, v)
		} else {
			out.keep = append(out.keep, v)
		}
	}
}

// reach makes the clients for an account; of regions, the first counts where the settings name none.
func (s *session) reach(ctx context.Context, v journal.Via, regions []string) (clients, error) {
	var env *localcloud.Env
	if v.Local {
		e, err := s.ensureCloud(ctx)
		if err != nil {
			return clients{}, err
		}
		env = &e
	}
	a := template.Access{Profile: v.Profile, Endpoint: v.Endpoint}
	if v.Role != "" {
		a.AssumeRole = &template.AssumeRole{RoleARN: v.Role}
	}
	of := &account{}
	if len(regions) > 0 {
		of.region = regions[0]
	}
	return newClients(ctx, a, env, s.account(of))
}

// accountOf says whose credentials these are, if a journal speaks of an account. It
// is best to know: with another's credentials everything looks as if it had gone.
func accountOf(ctx context.Context, c clients, builds []gc.Build) string {
	if !slices.ContainsFunc(builds, func(b gc.Build) bool { return b.Account != "" }) {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	out, err := sts.NewFromConfig(c.calling()).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return ""
	}
	return aws.ToString(out.Account)
}

// verdictJSON is one resource in gc's JSON.
type verdictJSON struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Region string `json:"region"`
	Build  string `json:"build"`
	Why    string `json:"why"`
}

// printCollection writes the result.
func (s *session) printCollection(o gcOptions, out collection, errs []error) error {
	if o.json {
		return s.collectionJSON(o, out, errs)
	}
	if len(out.remove)+len(out.keep)+len(out.environments) == 0 && errors.Join(errs...) == nil {
		s.say("imago: nothing was left behind")
	}
	if !o.plan {
		return nil
	}
	rows := append(rows("remove", out.remove), rows("keep", out.keep)...)
	return table(tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0), rows)
}

// rows are verdicts as lines of a table.
func rows(what string, all []gc.Verdict) (rows [][]string) {
	for _, v := range all {
		rows = append(rows, []string{what, v.Kind, v.ID, v.Region, v.Build, v.Why})
	}
	return rows
}

// collectionJSON writes one object. Without --plan, remove is what was removed.
func (s *session) collectionJSON(o gcOptions, out collection, errs []error) error {
	result := struct {
		Plan   bool          `json:"plan"`
		Remove []verdictJSON `json:"remove"`
		Keep   []verdictJSON `json:"keep"`
		// Environments is what was done, or would be, where images are released.
		Environments []string `json:"environments"`
		Errors       []string `json:"errors"`
	}{o.plan, verdictsJSON(out.remove), verdictsJSON(out.keep), append([]string{}, out.environments...), append([]string{}, problems(errors.Join(errs...))...)}
	return writeJSON(s.stdout, result)
}

func verdictsJSON(all []gc.Verdict) []verdictJSON {
	out := []verdictJSON{}
	for _, v := range all {
		out = append(out, verdictJSON{v.Kind, v.ID, v.Name, v.Region, v.Build, v.Why})
	}
	return out
}
