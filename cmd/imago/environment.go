package main

import (
	"cmp"
	"context"
	"os"
	"os/user"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

// environmentFlags are the flags of every command that is about an environment.
func environmentFlags() []cli.Flag {
	return append(projectFlags(), localFlag(), &cli.BoolFlag{Name: "json", Usage: "write JSON to stdout"})
}

// environmentOptions are those flags, and what comes before and after a --.
type environmentOptions struct {
	project     projectOptions
	local, json bool
	args        []string // what else is on the command line, beside the environment
}

// readEnvironmentOptions reads environmentFlags and the environment, which comes
// first and may be left out; isMore says which arguments cannot be one.
func readEnvironmentOptions(c *cli.Context, args []string, isMore func(string) bool) (o environmentOptions, err error) {
	if o.project, err = readProjectOptions(c); err != nil {
		return o, err
	}
	o.local, o.json, o.args = c.Bool("local"), c.Bool("json"), args
	if len(args) == 0 || isMore(args[0]) {
		return o, nil
	}
	if e := o.project.environment; e != "" && e != args[0] {
		return o, usagef("%s: the environment is %s, and --env says %s: name one", pathOf(c), args[0], e)
	}
	o.project.environment, o.args = args[0], args[1:]
	return o, nil
}

// onlyEnvironment reads the options of a command that takes nothing but an environment.
func onlyEnvironment(c *cli.Context) (environmentOptions, error) {
	if err := arguments(c, 0, 1); err != nil {
		return environmentOptions{}, err
	}
	return readEnvironmentOptions(c, c.Args().Slice(), func(string) bool { return false })
}

// stage is an environment, and the means to work on it.
type stage struct {
	*session
	options environmentOptions
	project *project.Project
	env     deploy.Environment
	clients clients
	deploy  *deploy.Deployer
}

// openStage reads the project file and makes the clients.
func (s *session) openStage(ctx context.Context, o environmentOptions) (*stage, error) {
	p, err := s.readProject(o.project)
	if err != nil {
		return nil, err
	}
	if err := deploys(p); err != nil {
		return nil, err
	}
	var local *localcloud.Env
	if o.local {
		e, err := s.ensureCloud(ctx)
		if err != nil {
			return nil, err
		}
		local, s.local = &e, true
	}
	clients, err := newClients(ctx, template.Access{Region: p.Environment.Region}, local, s.account(&account{}))
	if err != nil {
		return nil, err
	}
	g := &stage{session: s, options: o, project: p, env: environmentOf(p, clients.config.Region), clients: clients, deploy: clients.deployer()}
	g.deploy.Holder = holder()
	return g, nil
}

// deploys says what is missing in a project file for its environment to be released to.
func deploys(p *project.Project) error {
	const block = "deploy {\n    instance_type = \"t3.small\"\n  }"
	switch e := p.Environment; {
	case e.Name == "":
		return usagef("%s has no environment; add one:\nenvironment \"staging\" {\n  %s\n}", p.Path, block)
	case e.Deploy == nil:
		return usagef("the environment %s of %s has no deploy block, which says how it is released to (imago help deploy); add one:\n  %s", e.Name, p.Path, block)
	}
	return nil
}

// environmentOf is what a project file says of its environment, in the deployer's words.
func environmentOf(p *project.Project, region string) deploy.Environment {
	d := p.Environment.Deploy
	return deploy.Environment{
		Application: p.Application, Name: p.Environment.Name, Region: cmp.Or(p.Environment.Region, region),
		VPC: d.VPC, Subnets: d.Subnets, InstanceType: d.InstanceType, Profile: d.Profile, Key: d.Key,
		Min: d.Min, Max: d.Max, Desired: d.Desired, RequestsPerTarget: float64(d.RequestsPerTarget),
		Port: d.Port, HealthPath: d.HealthPath, VersionHeader: d.VersionHeader,
		Domain: d.Domain, Zone: d.Zone, Certificate: d.Certificate,
		KeepWarm: d.KeepWarm, Watch: d.Watch, Timeout: d.Timeout,
	}
}

// holder is who changes an environment: user@host.
func holder() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}

// url is where users find an environment whose load balancer has an address.
func (g *stage) url(address string) string {
	scheme := "http"
	if g.env.Certificate != "" {
		scheme = "https"
	}
	if g.env.Domain != "" && !g.clients.local() { // nobody asks the local cloud for names
		address = g.env.Domain
	}
	return scheme + "://" + address + "/"
}

// command is how somebody does something to this environment, with what was
// said on this command line.
func (g *stage) command(verb string) string {
	text := "imago " + verb
	if g.options.local {
		text += " --local"
	}
	if g.options.project.path != project.DefaultPath {
		text += " --file " + strconv.Quote(g.options.project.path)
	}
	return text + " " + g.env.Name
}

// releaseNumber reads the number of a release.
func releaseNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// isRelease says whether an argument is a release rather than an environment.
func isRelease(text string) bool { _, ok := releaseNumber(text); return ok }
