package deploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Environments finds those that releases, or leases, were left in, by their tags.
// Of each it knows the application and the name: enough for Tidy and Status.
func (d *Deployer) Environments(ctx context.Context) ([]Environment, error) {
	filters := []types.Filter{{Name: aws.String("tag-key"), Values: []string{TagEnvironment}}}
	var all []Environment
	add := func(tags []types.Tag) {
		e := Environment{Application: tagOf(tags, TagApplication), Name: tagOf(tags, TagEnvironment)}
		if e.Application != "" && e.Name != "" {
			all = append(all, e)
		}
	}
	pages := ec2.NewDescribeLaunchTemplatesPaginator(d.Templates, &ec2.DescribeLaunchTemplatesInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the launch templates: %w", err)
		}
		for _, t := range page.LaunchTemplates {
			add(t.Tags)
		}
	}
	keys, err := d.Machines.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("read the key pairs: %w", err)
	}
	for _, k := range keys.KeyPairs {
		add(k.Tags)
	}
	slices.SortFunc(all, func(a, b Environment) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Name, b.Name))
	})
	return slices.CompactFunc(all, func(a, b Environment) bool { return a.Application == b.Application && a.Name == b.Name }), nil
}
