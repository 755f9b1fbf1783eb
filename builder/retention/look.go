package retention

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder"
)

// looking reads one region, once or again and again.
type looking struct {
	cloud  Cloud
	region string
	known  map[string]Template // as last seen, by id
}

// Look lists what a region holds. What it may not see is in the error, a
// *DeniedError each, and the inventory has the rest.
func Look(ctx context.Context, cloud Cloud, region string) (Inventory, error) {
	return (&looking{cloud: cloud, region: region}).all(ctx)
}

func (l *looking) all(ctx context.Context) (Inventory, error) {
	inv := Inventory{Region: l.region}
	err := together(
		func() (err error) { inv.Images, err = l.images(ctx); return },
		func() (err error) { inv.Snapshots, err = l.snapshots(ctx); return },
		func() (err error) { inv.Instances, err = l.instances(ctx); return },
		func() (err error) { inv.Templates, err = l.templates(ctx); return },
		func() (err error) { inv.Configurations, err = l.configurations(ctx); return },
		func() (err error) { inv.Groups, err = l.groups(ctx); return },
	)
	return inv, err
}

// atOnce is how many calls one look makes at the same time.
const atOnce = 8

// together does things at the same time and returns all that went wrong, in the order of the things.
func together(all ...func() error) error {
	errs := make([]error, len(all))
	slots := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, do := range all {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = do()
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

// images are all of the account's that pass the filters.
func (l *looking) images(ctx context.Context, filters ...types.Filter) (all []Image, err error) {
	pages := ec2.NewDescribeImagesPaginator(l.cloud.EC2, &ec2.DescribeImagesInput{
		Owners: []string{"self"}, IncludeDeprecated: aws.Bool(true), IncludeDisabled: aws.Bool(true),
		Filters: filters, MaxResults: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, l.denied("ec2:DescribeImages", err)
		}
		for _, i := range out.Images {
			all = append(all, l.image(i))
		}
	}
	return all, nil
}

func (l *looking) image(i types.Image) Image {
	img := Image{
		ID: aws.ToString(i.ImageId), Region: l.region, Name: aws.ToString(i.Name), Owner: aws.ToString(i.OwnerId),
		State: string(i.State), Tags: tags(i.Tags),
	}
	img.Created, _ = time.Parse(time.RFC3339, aws.ToString(i.CreationDate)) // of a pending image there is none
	if p := aws.ToString(i.DeregistrationProtection); p != "" && p != "disabled" {
		img.Protected = true
	}
	if aws.ToBool(i.Public) {
		img.SharedWith = []string{"everybody"}
	}
	for _, d := range i.BlockDeviceMappings {
		if d.Ebs != nil && d.Ebs.SnapshotId != nil {
			img.Snapshots = append(img.Snapshots, *d.Ebs.SnapshotId)
			img.Size += int(aws.ToInt32(d.Ebs.VolumeSize))
		}
	}
	if r := aws.ToString(i.SourceImageRegion); r == "" || r == l.region {
		img.addParent(aws.ToString(i.SourceImageId))
	}
	img.addParent(sourceOf(img.Tags[builder.TagInputs]))
	return img
}

func (img *Image) addParent(id string) {
	if id != "" && !slices.Contains(img.Parents, id) {
		img.Parents = append(img.Parents, id)
	}
}

// sourceOf is the source image that builder.TagInputs names. AWS does not say it
// of an image that was registered under its name only after an older one had gone.
func sourceOf(inputs string) string {
	for field := range strings.FieldsSeq(inputs) {
		if id, ok := strings.CutPrefix(field, "source="); ok {
			return id
		}
	}
	return ""
}

// snapshots are those that a prune has marked.
func (l *looking) snapshots(ctx context.Context) (all []Snapshot, err error) {
	pages := ec2.NewDescribeSnapshotsPaginator(l.cloud.EC2, &ec2.DescribeSnapshotsInput{
		OwnerIds: []string{"self"}, Filters: []types.Filter{filter("tag-key", TagPruned)}, MaxResults: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, l.denied("ec2:DescribeSnapshots", err)
		}
		for _, s := range out.Snapshots {
			all = append(all, Snapshot{ID: aws.ToString(s.SnapshotId), Region: l.region, Image: tags(s.Tags)[TagPruned]})
		}
	}
	return all, nil
}

func (l *looking) instances(ctx context.Context, filters ...types.Filter) (all []Instance, err error) {
	pages := ec2.NewDescribeInstancesPaginator(l.cloud.EC2, &ec2.DescribeInstancesInput{Filters: filters, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, l.denied("ec2:DescribeInstances", err)
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				x := Instance{ID: aws.ToString(i.InstanceId), Image: aws.ToString(i.ImageId)}
				if i.State != nil {
					x.State = string(i.State.Name)
				}
				all = append(all, x)
			}
		}
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
