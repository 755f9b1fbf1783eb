package gc

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"

	"github.com/imagobuild/imago/builder"
)

// batch is how many values AWS takes in a filter.
const batch = 200

// look lists what a region holds of builds, and what uses that.
func look(ctx context.Context, cloud EC2, region string) ([]Resource, error) {
	l := looking{cloud: cloud, region: region}
	tagged := filter("tag-key", builder.TagBuild)
	found, err := l.all(ctx, []query{
		{l.instances, tagged}, {l.images, tagged}, {l.volumes, tagged},
		{l.snapshots, tagged}, {l.groups, tagged}, {l.keyPairs, tagged},
	})
	if err != nil {
		return nil, err
	}
	users, err := l.all(ctx, l.users(found))
	return unique(append(found, users...)), err
}

// looking lists the resources of one region.
type looking struct {
	cloud  EC2
	region string
}

// query is one kind of question with one filter.
type query struct {
	list   func(context.Context, types.Filter) ([]Resource, error)
	filter types.Filter
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

// all asks everything at once.
func (l looking) all(ctx context.Context, queries []query) ([]Resource, error) {
	g, ctx := errgroup.WithContext(ctx)
	answers := make([][]Resource, len(queries))
	for i, q := range queries {
		g.Go(func() (err error) {
			if answers[i], err = q.list(ctx, q.filter); err != nil {
				return fmt.Errorf("look in %s: %w", l.region, err)
			}
			return nil
		})
	}
	err := g.Wait()
	return slices.Concat(answers...), err
}

// users are the questions for whoever uses what was found, and for the images
// that drafts are to replace.
func (l looking) users(found []Resource) (all []query) {
	ids := map[string][]string{}
	for _, r := range found {
		ids[r.Kind] = append(ids[r.Kind], r.ID)
		if draft := r.Tags[builder.TagDraft]; draft != "" {
			ids["name"] = append(ids["name"], literal(draft))
		}
	}
	for _, u := range []struct {
		list   func(context.Context, types.Filter) ([]Resource, error)
		filter string
		values []string
	}{
		{l.instances, "image-id", ids[Image]},
		{l.instances, "network-interface.group-id", ids[Group]},
		{l.instances, "block-device-mapping.volume-id", ids[Volume]},
		{l.images, "block-device-mapping.snapshot-id", ids[Snapshot]},
		{l.images, "name", ids["name"]},
	} {
		for some := range slices.Chunk(u.values, batch) {
			all = append(all, query{u.list, filter(u.filter, some...)})
		}
	}
	return all
}

// literal is a filter's value that matches only this text.
func literal(text string) string {
	var out []rune
	for _, r := range text {
		if r == '*' || r == '?' || r == '\\' {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

// unique drops what was found twice.
func unique(all []Resource) []Resource {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(r Resource) bool {
		key := r.Region + " " + r.Kind + " " + r.ID
		twice := seen[key]
		seen[key] = true
		return twice
	})
}

func (l looking) instances(ctx context.Context, f types.Filter) (all []Resource, err error) {
	pages := ec2.NewDescribeInstancesPaginator(l.cloud, &ec2.DescribeInstancesInput{Filters: []types.Filter{f}, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				all = append(all, l.instance(i))
			}
		}
	}
	return all, nil
}

func (l looking) instance(i types.Instance) Resource {
	r := Resource{Kind: Instance, ID: aws.ToString(i.InstanceId), Region: l.region, Tags: tags(i.Tags)}
	if i.State != nil {
		r.State = string(i.State.Name)
	}
	if i.ImageId != nil {
		r.Uses = append(r.Uses, *i.ImageId)
	}
	for _, g := range i.SecurityGroups {
		r.Uses = append(r.Uses, aws.ToString(g.GroupId))
	}
	for _, n := range i.NetworkInterfaces {
		for _, g := range n.Groups {
			r.Uses = append(r.Uses, aws.ToString(g.GroupId))
		}
	}
	for _, d := range i.BlockDeviceMappings {
		if d.Ebs != nil {
			r.Uses = append(r.Uses, aws.ToString(d.Ebs.VolumeId))
		}
	}
	return r
}

func (l looking) images(ctx context.Context, f types.Filter) (all []Resource, err error) {
	pages := ec2.NewDescribeImagesPaginator(l.cloud, &ec2.DescribeImagesInput{
		Owners: []string{"self"}, IncludeDeprecated: aws.Bool(true), IncludeDisabled: aws.Bool(true),
		Filters: []types.Filter{f}, MaxResults: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, i := range out.Images {
			r := Resource{Kind: Image, ID: aws.ToString(i.ImageId), Region: l.region, Name: aws.ToString(i.Name), State: string(i.State), Tags: tags(i.Tags)}
			for _, d := range i.BlockDeviceMappings {
				if d.Ebs != nil && d.Ebs.SnapshotId != nil {
					r.Uses = append(r.Uses, *d.Ebs.SnapshotId)
				}
			}
			all = append(all, r)
		}
	}
	return all, nil
}

func (l looking) volumes(ctx context.Context, f types.Filter) (all []Resource, err error) {
	pages := ec2.NewDescribeVolumesPaginator(l.cloud, &ec2.DescribeVolumesInput{Filters: []types.Filter{f}, MaxResults: aws.Int32(500)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range out.Volumes {
			all = append(all, Resource{Kind: Volume, ID: aws.ToString(v.VolumeId), Region: l.region, State: string(v.State), Tags: tags(v.Tags)})
		}
	}
	return all, nil
}

func (l looking) snapshots(ctx context.Context, f types.Filter) (all []Resource, err error) {
	pages := ec2.NewDescribeSnapshotsPaginator(l.cloud, &ec2.DescribeSnapshotsInput{
		OwnerIds: []string{"self"}, Filters: []types.Filter{f}, MaxResults: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range out.Snapshots {
			all = append(all, Resource{Kind: Snapshot, ID: aws.ToString(s.SnapshotId), Region: l.region, State: string(s.State), Tags: tags(s.Tags)})
		}
	}
	return all, nil
}

func (l looking) groups(ctx context.Context, f types.Filter) (all []Resource, err error) {
	pages := ec2.NewDescribeSecurityGroupsPaginator(l.cloud, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{f}, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range out.SecurityGroups {
			all = append(all, Resource{Kind: Group, ID: aws.ToString(g.GroupId), Region: l.region, Name: aws.ToString(g.GroupName), Tags: tags(g.Tags)})
		}
	}
	return all, nil
}

func (l looking) keyPairs(ctx context.Context, f types.Filter) (all []Resource, err error) {
	out, err := l.cloud.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: []types.Filter{f}})
	if err != nil {
		return nil, err
	}
	for _, k := range out.KeyPairs {
		all = append(all, Resource{Kind: KeyPair, ID: aws.ToString(k.KeyPairId), Region: l.region, Name: aws.ToString(k.KeyName), Tags: tags(k.Tags)})
	}
	return all, nil
}

// tags converts.
func tags(all []types.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range all {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}
