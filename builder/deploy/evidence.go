package deploy

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// evidenceLines is how much of each machine's console is shown.
const evidenceLines = 50

// evidence is the end of the consoles of a release's machines, where cloud-init
// and the services of imago's recipes write what they have to say. What cannot be
// had is left out: it is about the release, not about itself.
func (d *Deployer) evidence(ctx context.Context, n *next) []string {
	var all []string
	for _, id := range d.machinesOf(ctx, n.name) {
		text, err := d.Console(ctx, id)
		if err != nil {
			continue
		}
		all = append(all, fmt.Sprintf("the console of %s:", id))
		all = append(all, lastLines(text, evidenceLines)...)
	}
	return all
}

// machinesOf are the instances of a group, also those that have just ended.
func (d *Deployer) machinesOf(ctx context.Context, group string) []string {
	out, err := d.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{group}})
	if err != nil {
		return nil
	}
	var ids []string
	for _, g := range out.AutoScalingGroups {
		for _, i := range g.Instances {
			ids = append(ids, aws.ToString(i.InstanceId))
		}
	}
	return ids
}

// Console is what an instance has written to its console, as far as AWS has it.
func (d *Deployer) Console(ctx context.Context, id string) (string, error) {
	out, err := d.Machines.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)})
	if awserr.Is(err, "UnsupportedOperation") { // not every type has the newest
		out, err = d.Machines.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id})
	}
	if err != nil {
		return "", fmt.Errorf("read the console of %s: %w", id, err)
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output))
	if err != nil {
		return "", fmt.Errorf("the console of %s: %w", id, err)
	}
	return string(text), nil
}

// lastLines is the end of a text, without the control characters of a terminal.
func lastLines(text string, most int) []string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	lines = lines[max(0, len(lines)-most):]
	for i, line := range lines {
		lines[i] = strings.Map(func(ch rune) rune {
			if ch < ' ' && ch != '\t' {
				return -1
			}
			return ch
		}, line)
	}
	return lines
}
