package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
)

// templateFlags are the flags of every command that reads a template.
func templateFlags() []cli.Flag {
	return append(valueFlags(),
		&cli.StringSliceFlag{Name: "only", Usage: "only these builds, `NAME,NAME`; with HCL2 patterns such as release.amazon-ebs.*"},
		&cli.StringSliceFlag{Name: "except", Usage: "all but these builds and post-processors, `NAME,NAME`"},
	)
}

// valueFlags say what a template's variables are worth.
func valueFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "var", Usage: "set a variable of the template, `NAME=VALUE`; may be repeated"},
		&cli.StringSliceFlag{Name: "var-file", Usage: "read variables from a `FILE`, JSON or HCL; may be repeated, later ones win, -var wins over all"},
		&cli.StringFlag{Name: "config-type", Value: "json", Usage: "the language of a template whose name does not say it: json or hcl2"},
	}
}

// templateOptions reads templateFlags and, when the template is called -, stdin.
func templateOptions(c *cli.Context, s *session) (template.Options, error) {
	o := template.Options{
		VarFiles: c.StringSlice("var-file"),
		Only:     names(c.StringSlice("only")),
		Except:   names(c.StringSlice("except")),
		Now:      time.Now(),
		Env:      os.LookupEnv,
	}
	switch kind := c.String("config-type"); kind {
	case "json":
	case "hcl2":
		o.HCL = true
	default:
		return o, usagef("%s: --config-type %s is neither json nor hcl2", pathOf(c), kind)
	}
	if c.Args().First() == "-" {
		text, err := io.ReadAll(s.stdin)
		if err != nil {
			return o, fmt.Errorf("read the template from stdin: %w", err)
		}
		o.Text = append([]byte{}, text...) // not nil
	}
	var err error
	o.Vars, err = readVars(c)
	return o, err
}

// readVars reads --var.
func readVars(c *cli.Context) (map[string]string, error) {
	all := map[string]string{}
	for _, v := range c.StringSlice("var") {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, usagef("%s: --var %s is not NAME=VALUE", pathOf(c), name)
		}
		all[name] = value
	}
	return all, nil
}

// names splits lists at commas and leaves out what is empty.
func names(lists []string) []string {
	var all []string
	for _, l := range lists {
		for n := range strings.SplitSeq(l, ",") {
			if n = strings.TrimSpace(n); n != "" {
				all = append(all, n)
			}
		}
	}
	return all
}

// withoutMeaning are flags of Packer's that are about what imago does not have;
// they are taken, with a notice, so that commands need no change.
func withoutMeaning(s *session, flags ...string) []cli.Flag {
	why := map[string]string{
		"force":                     "nothing is installed",
		"ignore-prerelease-plugins": "there are no plugins",
		"path":                      "nothing is installed",
		"skip-enforcement":          "imago reports to no registry",
		"upgrade":                   "nothing is installed",
		"use-sequential-evaluation": "values are evaluated when they are needed, in whatever order they stand",
	}
	var all []cli.Flag
	for _, name := range flags {
		notice := func(set bool) {
			if set {
				s.say("imago: -%s has no effect: %s", name, why[name])
			}
		}
		if name == "path" {
			all = append(all, &cli.StringFlag{Name: name, Hidden: true, Action: func(*cli.Context, string) error { notice(true); return nil }})
			continue
		}
		all = append(all, &cli.BoolFlag{Name: name, Hidden: true, Action: func(_ *cli.Context, set bool) error { notice(set); return nil }})
	}
	return all
}

// localFlag is --local.
func localFlag() cli.Flag {
	return &cli.BoolFlag{Name: "local", Usage: "use the local cloud instead of AWS, and start it when needed", EnvVars: []string{"IMAGO_LOCAL"}}
}

// orphanFlag is --orphan-timeout.
func orphanFlag() cli.Flag {
	return &cli.DurationFlag{
		Name: "orphan-timeout", EnvVars: []string{"IMAGO_ORPHAN_TIMEOUT"}, Value: builder.DefaultOrphanTimeout,
		Usage: "a machine that has not heard from imago for `TIME` ends itself; 0 for never",
	}
}

// noReuseFlag is --no-reuse.
func noReuseFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-reuse", Usage: "bake also when an image of the same inputs is there already", EnvVars: []string{"IMAGO_NO_REUSE"}}
}

// scanFlags say what becomes of keys and credentials on a machine.
func scanFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: "scan", EnvVars: []string{"IMAGO_SCAN"}, Value: string(builder.ScanStop),
			Usage: "when the machine has keys, credentials or shell histories that should not be in an image: stop, warn, or off (do not look); see imago help secrets",
		},
		&cli.StringSliceFlag{Name: "scan-allow", Usage: "the machine may have such things at `PATH`, in which * is any text; may be repeated"},
	}
}

// scanOption reads scanFlags.
func scanOption(c *cli.Context) builder.Scan {
	return builder.Scan{Mode: builder.ScanMode(c.String("scan")), Allow: c.StringSlice("scan-allow")}
}

// hostKeyFlag is --ssh-host-key.
func hostKeyFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "ssh-host-key", EnvVars: []string{"IMAGO_SSH_HOST_KEY"},
		Usage: "how a machine is recognised: user-data, console, off, or its key's fingerprints, `SHA256:…,…`",
	}
}

// hostKey applies --ssh-host-key to a build's SSH. An empty mode leaves it alone.
func hostKey(mode string, ssh *builder.SSH) error {
	switch m := builder.HostKeyMode(mode); {
	case mode == "":
	case m == builder.HostKeyUserData, m == builder.HostKeyConsole, m == builder.HostKeyOff:
		ssh.HostKey, ssh.Fingerprints = m, nil
		if m == builder.HostKeyOff && ssh.Bastion != nil {
			ssh.Bastion.Identity.HostKey = provision.HostKey{Insecure: true}
		}
	case strings.HasPrefix(mode, "SHA256:"):
		ssh.HostKey, ssh.Fingerprints = builder.HostKeyFingerprint, names([]string{mode})
	default:
		return usagef("--ssh-host-key %s is none of user-data, console, off and SHA256:…", mode)
	}
	return nil
}
