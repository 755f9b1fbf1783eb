package deploy

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// elbTags are those of what setup has of Elastic Load Balancing's.
func (e Environment) elbTags(role string) []elbtypes.Tag {
	var tags []elbtypes.Tag
	for _, t := range e.tags(role) {
		tags = append(tags, elbtypes.Tag{Key: t.Key, Value: t.Value})
	}
	return tags
}

// balancerTags are those of what a release has of Elastic Load Balancing's.
func (e Environment) balancerTags(number int64) []elbtypes.Tag {
	return append(e.elbTags(RoleMachines), elbtypes.Tag{Key: aws.String(TagRelease), Value: aws.String(strconv.FormatInt(number, 10))})
}

// groupTags are those of a release's auto scaling group, which its machines get, too.
func (e Environment) groupTags(group string, number int64) []astypes.Tag {
	tags := []astypes.Tag{groupTag(group, TagRelease, strconv.FormatInt(number, 10), true)}
	for _, t := range e.tags(RoleMachines) {
		tags = append(tags, groupTag(group, *t.Key, *t.Value, true))
	}
	return tags
}

func groupTag(group, key, value string, launched bool) astypes.Tag {
	return astypes.Tag{ResourceId: &group, ResourceType: aws.String("auto-scaling-group"), Key: &key, Value: &value, PropagateAtLaunch: &launched}
}

func joined(ids []string) string { return strings.Join(ids, ",") }

// afterLast is what comes behind the last sep.
func afterLast(text, sep string) string { return text[strings.LastIndex(text, sep)+len(sep):] }
