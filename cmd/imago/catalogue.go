package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/localcloud"
)

const catalogueHelp = `FILE lists what templates find in an account besides what was made in it: images that
others publish, VPCs, subnets, security groups, key pairs, parameters. From then on a
template that names one of them by its id, or looks for it by a filter, finds it in the
local cloud. Every image is a base under another name: what it says of itself is what
FILE says, the machine is Debian. To add an entry again replaces it. Starts the local
cloud when needed. All fields are in: imago help local-cloud

Example:

  {
    "images": [
      {"id": "ami-0c55b159cbfafe1f0", "name": "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260101",
       "owner": "099720109477", "root_device": "/dev/sda1", "user": "ubuntu"}
    ],
    "subnets": [{"id": "subnet-0123456789abcdef0", "vpc": "vpc-0123456789abcdef0", "tags": {"Name": "builds"}}],
    "security_groups": [{"id": "sg-0123456789abcdef0", "vpc": "vpc-0123456789abcdef0", "name": "builders"}],
    "parameters": [{"name": "/images/base", "value": "ami-0c55b159cbfafe1f0"}]
  }

  imago local catalogue account.json
  imago build --local web.json`

func localCatalogue(s *session) *cli.Command {
	return &cli.Command{
		Name:        "catalogue",
		Usage:       "make the local cloud answer for the images and networks that templates name",
		ArgsUsage:   "FILE",
		Description: catalogueHelp,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			return s.addCatalogue(c.Context, c.Args().First())
		},
	}
}

// addCatalogue is `imago local catalogue`.
func (s *session) addCatalogue(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return usagef("the catalogue: %w", err)
	}
	all, err := localcloud.ParseCatalogue(text)
	if err != nil {
		return usagef("the catalogue %s:\n%w", path, err)
	}
	client, err := s.cloudClient(ctx, true)
	if err != nil {
		return err
	}
	if err := client.AddCatalogue(ctx, text, func(text string) { s.say("imago: %s", text) }); err != nil {
		return fmt.Errorf("add the catalogue: %w", err)
	}
	s.say("imago: the local cloud answers for %s", catalogueText(all))
	return nil
}

// catalogueText says how much there is of what.
func catalogueText(c localcloud.Catalogue) string {
	return fmt.Sprintf("%s, %s, %s, %s, %s and %s", plural(len(c.Images), "image"), plural(len(c.Vpcs), "VPC"), plural(len(c.Subnets), "subnet"),
		plural(len(c.SecurityGroups), "security group"), plural(len(c.KeyPairs), "key pair"), plural(len(c.Parameters), "parameter"))
}
