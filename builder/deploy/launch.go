package deploy

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/internal/undo"
)

// ProbeHeader is the header of imago's own probes, by which they reach a release
// that users do not reach yet. Its value is drawn for each release.
const ProbeHeader = "X-Imago-Probe"

// next is a release that is being made.
type next struct {
	Release
	name   string // of its group and its target group
	target string // ARN
	rule   string // ARN of the rule that lets probes through
	secret string // value of ProbeHeader
	size   int    // machines that it has to have
}

// launch makes what a release consists of: a version of the launch template, a
// target group, a rule that lets probes through, and an auto scaling group of
// the size of the one that serves. Nothing of it gets users' requests yet.
func (d *Deployer) launch(ctx context.Context, e Environment, w Wanted, img image, now *state, trash *undo.Stack) (*next, error) {
	n := &next{secret: rand.Text(), size: max(now.serving().desired(), e.Min)}
	if now.serving() == nil {
		n.size = e.Desired
	}
	n.Release = Release{Image: w.Image, Commit: w.Commit, By: d.Holder, At: time.Now().UTC().Truncate(time.Second)}
	version, err := d.addVersion(ctx, e, n, img, now, trash)
	if err != nil {
		return nil, err
	}
	n.name = e.releaseName(n.Number)
	target, err := d.addTarget(ctx, e, n, now, trash)
	if err != nil {
		return nil, err
	}
	rule, err := d.addRule(ctx, e, n, now, trash, target)
	if err != nil {
		return nil, err
	}
	return n, d.addGroup(ctx, e, n, now, img, trash, version, rule)
}

// addVersion adds the launch template version whose number is the release's.
func (d *Deployer) addVersion(ctx context.Context, e Environment, n *next, img image, now *state, trash *undo.Stack) (*undo.Entry, error) {
	data, token := e.launchData(n, img), aws.String(rand.Text())
	if now.template == "" {
		err := d.change(ctx, "launch", "made launch template "+e.name()+", version 1", func() error {
			out, err := d.Templates.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
				LaunchTemplateName: aws.String(e.name()), LaunchTemplateData: data, ClientToken: token,
				TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeLaunchTemplate, Tags: e.tags(RoleMachines)}},
			})
			if err == nil {
				now.template, n.Number = *out.LaunchTemplate.LaunchTemplateId, *out.LaunchTemplate.LatestVersionNumber
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	} else {
		err := d.change(ctx, "launch", "made a version of launch template "+e.name(), func() error {
			out, err := d.Templates.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
				LaunchTemplateId: &now.template, LaunchTemplateData: data, ClientToken: token,
			})
			if err == nil {
				n.Number = *out.LaunchTemplateVersion.VersionNumber
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	number, template := n.Number, now.template
	return trash.Add(fmt.Sprintf("version %d of launch template %s", number, template), func(ctx context.Context) error {
		return d.dropVersion(ctx, template, number)
	}), nil
}

// launchData is what machines of the release are launched with.
func (e Environment) launchData(n *next, img image) *types.RequestLaunchTemplateData {
	tags := append(e.tags(RoleMachines), tag("Name", e.name()), tag(TagReleaser, n.By), tag(TagReleased, n.At.Format(time.RFC3339)), tag(tagConfig, e.config()))
	if n.Commit != "" {
		tags = append(tags, tag(TagCommit, n.Commit))
	}
	data := &types.RequestLaunchTemplateData{
		ImageId: &n.Image, InstanceType: types.InstanceType(e.InstanceType), SecurityGroupIds: img.groups,
		MetadataOptions: &types.LaunchTemplateInstanceMetadataOptionsRequest{HttpTokens: types.LaunchTemplateHttpTokensStateRequired},
		TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{
			{ResourceType: types.ResourceTypeInstance, Tags: tags}, {ResourceType: types.ResourceTypeVolume, Tags: tags},
		},
	}
	if e.Profile != "" {
		data.IamInstanceProfile = &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: &e.Profile}
	}
	if e.Key != "" {
		data.KeyName = &e.Key
	}
	return data
}

// How a target group asks its machines how they are, in seconds and in answers in a row.
const (
	checkInterval = 5
	checkTimeout  = 3
	checkCount    = 2
)

func (d *Deployer) addTarget(ctx context.Context, e Environment, n *next, now *state, trash *undo.Stack) (*undo.Entry, error) {
	err := d.change(ctx, "launch", "made target group "+n.name, func() error {
		out, err := d.Targets.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: &n.name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(e.Port)), VpcId: now.balancer.VpcId,
			TargetType: elbtypes.TargetTypeEnumInstance, HealthCheckPath: &e.HealthPath, Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")},
			HealthCheckIntervalSeconds: aws.Int32(checkInterval), HealthCheckTimeoutSeconds: aws.Int32(checkTimeout),
			HealthyThresholdCount: aws.Int32(checkCount), UnhealthyThresholdCount: aws.Int32(checkCount), Tags: e.balancerTags(n.Number),
		})
		if err == nil {
			n.target = *out.TargetGroups[0].TargetGroupArn
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	entry := trash.Add("target group "+n.target, func(ctx context.Context) error { return d.dropTarget(ctx, n.target) })
	return entry, d.change(ctx, "launch", "set how target group "+n.name+" drains", func() error {
		return whenKnown(ctx, func() error {
			_, err := d.Targets.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
				TargetGroupArn: &n.target,
				Attributes:     []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String(strconv.Itoa(int(e.drain().Seconds())))}},
			})
			return err
		})
	})
}

// addRule lets probes through to the release: by it the target group is in use,
// too, without which a load balancer does not check the health of anything.
func (d *Deployer) addRule(ctx context.Context, e Environment, n *next, now *state, trash *undo.Stack, target *undo.Entry) (*undo.Entry, error) {
	err := d.change(ctx, "launch", "made a rule that lets imago's probes through to "+n.name, func() error {
		return whenKnown(ctx, func() error { return d.makeRule(ctx, e, n, now) })
	})
	if err != nil {
		return nil, err
	}
	return trash.Add("rule "+n.rule, func(ctx context.Context) error { return d.dropRule(ctx, n.rule) }, target), nil
}

// makeRule makes the rule with a priority that is free, also when another takes
// that one meanwhile.
func (d *Deployer) makeRule(ctx context.Context, e Environment, n *next, now *state) error {
	for {
		rules, err := d.Listeners.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: now.listener.ListenerArn})
		if err != nil {
			return err
		}
		if n.rule = ruleTo(n.target, rules.Rules); n.rule != "" { // the answer to the first try was lost
			return nil
		}
		out, err := d.Listeners.CreateRule(ctx, e.probeRule(n, now, freePriority(rules.Rules)))
		if err == nil {
			n.rule = *out.Rules[0].RuleArn
		}
		if !awserr.Is(err, "PriorityInUse") {
			return err
		}
		if err := poll.For(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (e Environment) probeRule(n *next, now *state, priority int32) *elb.CreateRuleInput {
	return &elb.CreateRuleInput{
		ListenerArn: now.listener.ListenerArn, Priority: &priority, Actions: forward(n.target), Tags: e.balancerTags(n.Number),
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{
			HttpHeaderName: aws.String(ProbeHeader), Values: []string{n.secret},
		}}},
	}
}

// ruleTo is the rule that sends to a target group; "" when there is none.
func ruleTo(target string, rules []elbtypes.Rule) string {
	for _, r := range rules {
		if _, there := weights(r.Actions)[target]; there {
			return aws.ToString(r.RuleArn)
		}
	}
	return ""
}

// freePriority is the first that no rule has.
func freePriority(rules []elbtypes.Rule) int32 {
	taken := map[string]bool{}
	for _, r := range rules {
		taken[aws.ToString(r.Priority)] = true
	}
	for priority := int32(1); ; priority++ {
		if !taken[strconv.Itoa(int(priority))] {
			return priority
		}
	}
}

// forward sends everything to one target group.
func forward(target string) []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{
		TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: &target, Weight: aws.Int32(1)}},
	}}}
}
