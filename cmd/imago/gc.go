package main

import (
	"cmp"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/journal"
)

const gcHelp = `Takes away what builds left behind that were killed, or that could not clean up:
instances, volumes, images that never became available, snapshots, key pairs and
security groups. It goes by the journals of this computer, at once; and by the tags
imago:build and imago:expires for builds of other computers, once they have expired.
It touches nothing without these tags, nothing of a running build, nothing in use, and
no finished image. It may run at any time, and twice at once.

Where images are released, it finishes what a release that was killed has left, and
takes down what has been kept warm for long enough. An environment that is being
changed is left alone. With --build it looks at builds alone.

Examples:
  imago gc                                what is left of builds from this computer
  imago gc --plan                         only show what would go, what would stay, and why
  imago gc --local                        in the local cloud
  imago gc --region eu-west-1,us-west-2   look in these regions too
  imago gc --build 1f0c9d2e77ab           one build alone, also one that on-error=abort left
  imago gc --json | jq -r '.remove[].id'

Exit codes: 0 done, 1 AWS did not answer, 2 usage or configuration, 4 something could not be
taken away, 130 canceled.`

// gcOptions are the flags of gc.
type gcOptions struct {
	plan, json, local bool
	builds, regions   []string
	profile           string
}

func gcCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "gc",
		Usage:       "take away what builds left behind",
		Description: gcHelp,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "plan", Usage: "change nothing; show what would go, and why"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON object to stdout"},
			&cli.StringSliceFlag{Name: "build", Usage: "only what these builds left, `ID,ID`; an id is the value of the tag imago:build"},
			&cli.StringSliceFlag{Name: "region", Usage: "look in these regions too, `NAME,NAME`; by default in AWS_REGION and where the journals say"},
			&cli.StringFlag{Name: "profile", Usage: "use this `PROFILE` of the AWS configuration; by default each that the journals say"},
			localFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			return s.gc(c.Context, gcOptions{
				plan: c.Bool("plan"), json: c.Bool("json"), local: c.Bool("local"),
				builds: names(c.StringSlice("build")), regions: names(c.StringSlice("region")), profile: c.String("profile"),
			})
		},
	}
}

// reach is one way to an account, and the journals of the builds that went it.
type reach struct {
	via      journal.Via
	journals []*journal.Found
}

// reaches puts together the journals of one way. The first is the user's own,
// which is gone whether there are journals or not: other computers have some too.
func (o gcOptions) reaches(found []*journal.Found) (all []reach, others int) {
	all = []reach{{via: journal.Via{Local: o.local, Profile: o.profile}}}
	for _, f := range found {
		if f.Via.Local != o.local || o.profile != "" && f.Via.Profile != o.profile {
			others++
			continue
		}
		i := slices.IndexFunc(all, func(r reach) bool { return r.via == f.Via })
		if i < 0 {
			i, all = len(all), append(all, reach{via: f.Via})
		}
		all[i].journals = append(all[i].journals, f)
	}
	return all, others
}

// regions are those to look in: the user's, and where the journals' builds were.
func (r reach) regions(own string, asked []string) []string {
	all := append([]string{cmp.Or(own, "us-east-1")}, r.known(asked)...)
	slices.Sort(all)
	return slices.Compact(all)
}

// known are the regions that somebody has named: the user, or a journal.
func (r reach) known(asked []string) []string {
	all := slices.Clone(asked)
	for _, f := range r.journals {
		all = append(all, f.Regions...)
	}
	return all
}
