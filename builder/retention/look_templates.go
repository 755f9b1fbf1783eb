package retention

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/awserr"
)

// templates are all launch templates, with all their versions. Those of a template
// are read again only when there is a new one: no version ever changes.
func (l *looking) templates(ctx context.Context) (all []Template, err error) {
	pages := ec2.NewDescribeLaunchTemplatesPaginator(l.cloud.EC2, &ec2.DescribeLaunchTemplatesInput{MaxResults: aws.Int32(200)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, l.denied("ec2:DescribeLaunchTemplates", err)
		}
		for _, t := range out.LaunchTemplates {
			all = append(all, Template{
				ID: aws.ToString(t.LaunchTemplateId), Name: aws.ToString(t.LaunchTemplateName),
				Environments: builder.Environments(tags(t.Tags)[builder.TagEnvironment]),
				Default:      aws.ToInt64(t.DefaultVersionNumber), Latest: aws.ToInt64(t.LatestVersionNumber),
			})
		}
	}
	reads := make([]func() error, len(all))
	for i := range all {
		known := l.known[all[i].ID]
		all[i].Versions = slices.Clone(known.Versions)
		reads[i] = func() (err error) {
			if all[i].Latest != known.Latest {
				all[i].Versions, err = l.versions(ctx, all[i].ID)
			}
			return err
		}
	}
	if err := together(reads...); err != nil {
		return nil, err
	}
	l.known = map[string]Template{}
	for _, t := range all {
		l.known[t.ID] = t
	}
	return l.resolveAll(ctx, all)
}

// versions are those of a template that name an image, the oldest first.
func (l *looking) versions(ctx context.Context, id string) (all []Version, err error) {
	pages := ec2.NewDescribeLaunchTemplateVersionsPaginator(l.cloud.EC2, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: &id, MaxResults: aws.Int32(200),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if awserr.Is(err, "InvalidLaunchTemplateId.NotFound") { // deleted since
			return nil, nil
		}
		if err != nil {
			return nil, l.denied("ec2:DescribeLaunchTemplateVersions", err)
		}
		for _, v := range out.LaunchTemplateVersions {
			if v.LaunchTemplateData != nil && v.LaunchTemplateData.ImageId != nil {
				all = append(all, Version{aws.ToInt64(v.VersionNumber), *v.LaunchTemplateData.ImageId})
			}
		}
	}
	slices.SortFunc(all, func(a, b Version) int { return cmp.Compare(a.Number, b.Number) })
	return all, nil
}

// resolveAll puts images in the place of the parameters that versions name.
func (l *looking) resolveAll(ctx context.Context, all []Template) (_ []Template, err error) {
	known := map[string]string{}
	for i := range all {
		all[i].Versions = slices.Clone(all[i].Versions) // the parameter may have another value the next time
		for j := range all[i].Versions {
			v := &all[i].Versions[j]
			if v.Image, err = l.resolved(ctx, v.Image, known); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// resolved is the image that an id means, which may be resolve:ssm: and a
// parameter. A parameter that is not there names none. What was asked for is in known.
func (l *looking) resolved(ctx context.Context, image string, known map[string]string) (string, error) {
	name, ok := strings.CutPrefix(image, "resolve:ssm:")
	if !ok {
		return image, nil
	}
	if id, ok := known[name]; ok {
		return id, nil
	}
	out, err := l.cloud.Parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	switch {
	case awserr.Is(err, "ParameterNotFound", "ParameterVersionNotFound"):
		known[name] = ""
	case err != nil:
		return "", l.denied(fmt.Sprintf("ssm:GetParameter of %s", name), err)
	default:
		known[name] = aws.ToString(out.Parameter.Value)
	}
	return known[name], nil
}
