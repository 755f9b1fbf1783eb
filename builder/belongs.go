package builder

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// The tags that say whose an image is: the application, the image's name in its
// project, and the environment. They are no part of the fingerprint, so that one
// image may serve several environments: then the last tag holds all their names,
// with spaces between. It belongs to one application, the first, also when it is
// the result of another one's bake.
const (
	TagApplication = "imago:application"
	TagImage       = "imago:image"
	TagEnvironment = "imago:environment"
)

// Environments lists what TagEnvironment's value says.
func Environments(value string) []string { return strings.Fields(value) }

// wantedTags are the tags that an image which is there shall have: the user's, and
// whose it is. It stays with its application, and in the environments in which it is.
func wantedTags(tags map[string]string, has []types.Tag) map[string]string {
	all := userTags(tags)
	if owner := tagOf(has, TagApplication); owner != "" && owner != tags[TagApplication] {
		return all
	}
	for _, key := range []string{TagApplication, TagImage, TagEnvironment} {
		if value, ok := tags[key]; ok {
			all[key] = value
		}
	}
	if value, ok := all[TagEnvironment]; ok {
		both := append(Environments(tagOf(has, TagEnvironment)), Environments(value)...)
		slices.Sort(both)
		all[TagEnvironment] = strings.Join(slices.Compact(both), " ")
	}
	return all
}

// without leaves out the tags that a resource has already.
func without(tags map[string]string, has []types.Tag) map[string]string {
	all := maps.Clone(tags)
	for _, t := range has {
		if value, ok := all[aws.ToString(t.Key)]; ok && value == aws.ToString(t.Value) {
			delete(all, aws.ToString(t.Key))
		}
	}
	return all
}
