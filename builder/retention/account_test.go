package retention

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
)

// account is a fake region: it holds things in AWS's own types, finds them by
// the filters that retention uses, and refuses what AWS refuses.
type account struct {
	mu         sync.Mutex
	images     []types.Image
	perms      map[string][]types.LaunchPermission       // by image
	volumes    map[string][]types.CreateVolumePermission // by snapshot
	snapshots  []types.Snapshot
	instances  []types.Instance
	templates  []types.LaunchTemplate
	versions   map[string][]types.LaunchTemplateVersion // by template
	groups     []AutoScalingGroup
	configs    []Configuration
	parameters map[string]string

	// fails is asked before each call, and may say that it goes wrong, before or
	// after it has done its work.
	fails func(action string) (before, after error)
	// watch is told of each call that changes something, before it does.
	watch func(action, id string)
	calls []string // the changes, in order
}

type options = func(*ec2.Options)

func apiError(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "said the fake"}
}

// call runs what one action does, unless it fails.
func call[T any](a *account, action, id string, do func() (T, error)) (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var none T
	var before, after error
	if a.fails != nil {
		before, after = a.fails(action)
	}
	if before != nil {
		return none, before
	}
	if id != "" {
		if a.watch != nil {
			a.watch(action, id)
		}
		a.calls = append(a.calls, action+" "+id)
	}
	out, err := do()
	if err == nil && after != nil {
		return none, after
	}
	return out, err
}

func (a *account) cloud() Cloud { return Cloud{a, a, a} }

// pass says whether something passes all filters, given what it has by the filters' names.
func pass(filters []types.Filter, has func(name string) []string) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(has(*f.Name), func(v string) bool {
			return slices.ContainsFunc(f.Values, func(p string) bool { ok, _ := path.Match(p, v); return ok || p == v })
		}) {
			return false
		}
	}
	return true
}

func tagValues(all []types.Tag, name string) (values []string) {
	for _, t := range all {
		if name == "tag:"+*t.Key {
			values = append(values, *t.Value)
		}
		if name == "tag-key" {
			values = append(values, *t.Key)
		}
	}
	return values
}

func snapshotsOf(i types.Image) (all []string) {
	for _, d := range i.BlockDeviceMappings {
		all = append(all, *d.Ebs.SnapshotId)
	}
	return all
}

func (a *account) DescribeImages(_ context.Context, in *ec2.DescribeImagesInput, _ ...options) (*ec2.DescribeImagesOutput, error) {
	return call(a, "DescribeImages", "", func() (*ec2.DescribeImagesOutput, error) {
		out := &ec2.DescribeImagesOutput{}
		for _, i := range a.images {
			if pass(in.Filters, func(name string) []string {
				switch name {
				case "image-id":
					return []string{*i.ImageId}
				case "source-image-id":
					return []string{aws.ToString(i.SourceImageId)}
				case "block-device-mapping.snapshot-id":
					return snapshotsOf(i)
				}
				return tagValues(i.Tags, name)
			}) {
				out.Images = append(out.Images, i)
			}
		}
		return out, nil
	})
}

func (a *account) DescribeInstances(_ context.Context, in *ec2.DescribeInstancesInput, _ ...options) (*ec2.DescribeInstancesOutput, error) {
	return call(a, "DescribeInstances", "", func() (*ec2.DescribeInstancesOutput, error) {
		out := &ec2.DescribeInstancesOutput{}
		for _, i := range a.instances {
			if pass(in.Filters, func(string) []string { return []string{*i.ImageId} }) {
				out.Reservations = append(out.Reservations, types.Reservation{Instances: []types.Instance{i}})
			}
		}
		return out, nil
	})
}

func (a *account) DescribeSnapshots(_ context.Context, in *ec2.DescribeSnapshotsInput, _ ...options) (*ec2.DescribeSnapshotsOutput, error) {
	return call(a, "DescribeSnapshots", "", func() (*ec2.DescribeSnapshotsOutput, error) {
		out := &ec2.DescribeSnapshotsOutput{}
		for _, s := range a.snapshots {
			if pass(in.Filters, func(name string) []string { return tagValues(s.Tags, name) }) {
				out.Snapshots = append(out.Snapshots, s)
			}
		}
		return out, nil
	})
}

// DescribeLaunchTemplates has pages of two.
func (a *account) DescribeLaunchTemplates(_ context.Context, in *ec2.DescribeLaunchTemplatesInput, _ ...options) (*ec2.DescribeLaunchTemplatesOutput, error) {
	return call(a, "DescribeLaunchTemplates", "", func() (*ec2.DescribeLaunchTemplatesOutput, error) {
		start := 0
		fmt.Sscan(aws.ToString(in.NextToken), &start)
		out := &ec2.DescribeLaunchTemplatesOutput{LaunchTemplates: a.templates[start:min(start+2, len(a.templates))]}
		if start+2 < len(a.templates) {
			out.NextToken = aws.String(fmt.Sprint(start + 2))
		}
		return out, nil
	})
}

func (a *account) DescribeLaunchTemplateVersions(_ context.Context, in *ec2.DescribeLaunchTemplateVersionsInput, _ ...options) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	return call(a, "DescribeLaunchTemplateVersions", "", func() (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
		out := &ec2.DescribeLaunchTemplateVersionsOutput{}
		if in.LaunchTemplateId != nil {
			out.LaunchTemplateVersions = slices.Clone(a.versions[*in.LaunchTemplateId])
			return out, nil
		}
		for _, t := range a.templates {
			for _, v := range a.versions[*t.LaunchTemplateId] {
				if *v.VersionNumber == *t.DefaultVersionNumber || *v.VersionNumber == *t.LatestVersionNumber {
					out.LaunchTemplateVersions = append(out.LaunchTemplateVersions, v)
				}
			}
		}
		return out, nil
	})
}

func (a *account) AutoScalingGroups(context.Context) ([]AutoScalingGroup, error) {
	return call(a, "DescribeAutoScalingGroups", "", func() (all []AutoScalingGroup, err error) {
		for _, g := range a.groups {
			g.Images = slices.Clone(g.Images)
			all = append(all, g)
		}
		return all, nil
	})
}

func (a *account) LaunchConfigurations(context.Context) ([]Configuration, error) {
	return call(a, "DescribeLaunchConfigurations", "", func() ([]Configuration, error) { return slices.Clone(a.configs), nil })
}

func (a *account) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	return call(a, "GetParameter", "", func() (*ssm.GetParameterOutput, error) {
		value, ok := a.parameters[*in.Name]
		if !ok {
			return nil, apiError("ParameterNotFound")
		}
		return &ssm.GetParameterOutput{Parameter: &ssmtypes.Parameter{Value: &value}}, nil
	})
}

func (a *account) DescribeImageAttribute(_ context.Context, in *ec2.DescribeImageAttributeInput, _ ...options) (*ec2.DescribeImageAttributeOutput, error) {
	return call(a, "DescribeImageAttribute", "", func() (*ec2.DescribeImageAttributeOutput, error) {
		if a.image(*in.ImageId) < 0 {
			return nil, apiError("InvalidAMIID.NotFound")
		}
		return &ec2.DescribeImageAttributeOutput{LaunchPermissions: a.perms[*in.ImageId]}, nil
	})
}

func (a *account) DescribeSnapshotAttribute(_ context.Context, in *ec2.DescribeSnapshotAttributeInput, _ ...options) (*ec2.DescribeSnapshotAttributeOutput, error) {
	return call(a, "DescribeSnapshotAttribute", "", func() (*ec2.DescribeSnapshotAttributeOutput, error) {
		if a.snapshot(*in.SnapshotId) < 0 {
			return nil, apiError("InvalidSnapshot.NotFound")
		}
		return &ec2.DescribeSnapshotAttributeOutput{CreateVolumePermissions: a.volumes[*in.SnapshotId]}, nil
	})
}

func (a *account) image(id string) int {
	return slices.IndexFunc(a.images, func(i types.Image) bool { return *i.ImageId == id })
}

func (a *account) snapshot(id string) int {
	return slices.IndexFunc(a.snapshots, func(s types.Snapshot) bool { return *s.SnapshotId == id })
}

func (a *account) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...options) (*ec2.CreateTagsOutput, error) {
	return call(a, "CreateTags", in.Resources[0], func() (*ec2.CreateTagsOutput, error) {
		i := a.snapshot(in.Resources[0])
		if i < 0 {
			return nil, apiError("InvalidSnapshot.NotFound")
		}
		a.snapshots[i].Tags = append(untagged(a.snapshots[i].Tags, *in.Tags[0].Key), in.Tags...)
		return nil, nil
	})
}

func (a *account) DeleteTags(_ context.Context, in *ec2.DeleteTagsInput, _ ...options) (*ec2.DeleteTagsOutput, error) {
	return call(a, "DeleteTags", in.Resources[0], func() (*ec2.DeleteTagsOutput, error) {
		i := a.snapshot(in.Resources[0])
		if i < 0 {
			return nil, apiError("InvalidSnapshot.NotFound")
		}
		if slices.Contains(tagValues(a.snapshots[i].Tags, "tag:"+*in.Tags[0].Key), *in.Tags[0].Value) {
			a.snapshots[i].Tags = untagged(a.snapshots[i].Tags, *in.Tags[0].Key)
		}
		return nil, nil
	})
}

func untagged(all []types.Tag, key string) []types.Tag {
	return slices.DeleteFunc(slices.Clone(all), func(t types.Tag) bool { return *t.Key == key })
}

func (a *account) DeregisterImage(_ context.Context, in *ec2.DeregisterImageInput, _ ...options) (*ec2.DeregisterImageOutput, error) {
	return call(a, "DeregisterImage", *in.ImageId, func() (*ec2.DeregisterImageOutput, error) {
		i := a.image(*in.ImageId)
		switch {
		case i < 0:
			return nil, apiError("InvalidAMIID.NotFound")
		case strings.HasPrefix(aws.ToString(a.images[i].DeregistrationProtection), "enabled"):
			return nil, apiError("OperationNotPermitted")
		}
		a.images = slices.Delete(a.images, i, i+1)
		return nil, nil
	})
}

func (a *account) DeleteSnapshot(_ context.Context, in *ec2.DeleteSnapshotInput, _ ...options) (*ec2.DeleteSnapshotOutput, error) {
	return call(a, "DeleteSnapshot", *in.SnapshotId, func() (*ec2.DeleteSnapshotOutput, error) {
		i := a.snapshot(*in.SnapshotId)
		switch {
		case i < 0:
			return nil, apiError("InvalidSnapshot.NotFound")
		case slices.ContainsFunc(a.images, func(img types.Image) bool { return slices.Contains(snapshotsOf(img), *in.SnapshotId) }):
			return nil, apiError("InvalidSnapshot.InUse")
		}
		a.snapshots = slices.Delete(a.snapshots, i, i+1)
		return nil, nil
	})
}

var _ EC2 = (*account)(nil)

func awsTags(all ...string) (tags []types.Tag) {
	for i := 0; i < len(all); i += 2 {
		tags = append(tags, types.Tag{Key: &all[i], Value: &all[i+1]})
	}
	return tags
}

// add puts an image into the account, with the snapshots that are not there yet.
func (a *account) add(id, name string, created time.Time, tags []types.Tag, snapshots ...string) *types.Image {
	img := types.Image{
		ImageId: &id, Name: &name, OwnerId: aws.String("123456789012"), State: types.ImageStateAvailable,
		CreationDate: aws.String(created.UTC().Format("2006-01-02T15:04:05.000Z")), Tags: tags,
	}
	for _, s := range snapshots {
		img.BlockDeviceMappings = append(img.BlockDeviceMappings, types.BlockDeviceMapping{Ebs: &types.EbsBlockDevice{SnapshotId: &s, VolumeSize: aws.Int32(8)}})
		if a.snapshot(s) < 0 {
			a.snapshots = append(a.snapshots, types.Snapshot{SnapshotId: &s})
		}
	}
	a.images = append(a.images, img)
	return &a.images[len(a.images)-1]
}
