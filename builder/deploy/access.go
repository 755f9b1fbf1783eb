package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// Access finds an environment's machines, and lets somebody in.
type Access struct {
	*Deployer
	Doors Doors
}

// Doors is what is needed of EC2 to reach machines. *ec2.Client has it.
type Doors interface {
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	AuthorizeSecurityGroupIngress(context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	RevokeSecurityGroupIngress(context.Context, *ec2.RevokeSecurityGroupIngressInput, ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error)
}

// Instance is a machine of a release.
type Instance struct {
	ID      string `json:"id"`
	Release int64  `json:"release"`
	// State is how it is in its group, such as InService.
	State string `json:"state"`
	// Address is the public one, or the private one where there is no other.
	Address string `json:"address"`
}

// Instances are the machines of a release, or with number 0 of the one that serves.
func (a *Access) Instances(ctx context.Context, e Environment, number int64) ([]Instance, error) {
	now, err := a.look(ctx, e)
	if err != nil {
		return nil, err
	}
	u := now.serving()
	if number != 0 {
		u = now.units[number]
	}
	switch {
	case u == nil && number == 0:
		return nil, errors.New("nothing is in service yet")
	case u == nil || u.group == nil:
		return nil, fmt.Errorf("release %d has no machines now: imago status says which have", number)
	}
	all, err := a.members(ctx, u)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all, a.addresses(ctx, all)
}

// members are the machines of a release's group, as it is now.
func (a *Access) members(ctx context.Context, u *unit) ([]Instance, error) {
	out, err := a.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{*u.group.AutoScalingGroupName}})
	if err != nil {
		return nil, fmt.Errorf("read the machines of release %d: %w", u.Number, err)
	}
	var all []Instance
	for _, g := range out.AutoScalingGroups {
		for _, i := range g.Instances {
			all = append(all, Instance{ID: aws.ToString(i.InstanceId), Release: u.Number, State: string(i.LifecycleState)})
		}
	}
	slices.SortFunc(all, func(a, b Instance) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (a *Access) addresses(ctx context.Context, all []Instance) error {
	var ids []string
	for _, i := range all {
		ids = append(ids, i.ID)
	}
	pages := ec2.NewDescribeInstancesPaginator(a.Doors, &ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("instance-id"), Values: ids}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the addresses of %d machines: %w", len(ids), err)
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				at := slices.Index(ids, aws.ToString(i.InstanceId))
				if at >= 0 {
					all[at].Address = cmp.Or(aws.ToString(i.PublicIpAddress), aws.ToString(i.PrivateIpAddress))
				}
			}
		}
	}
	return nil
}

// sshPort is where machines hear SSH.
const sshPort = 22

// closeLimit is how long closing may take, whatever became of the context.
const closeLimit = time.Minute

// doorNote marks the rules of Open among those of others.
const doorNote = "imago ssh"

// Open lets one address reach port 22 of the machines, until shut, which has to be
// called, and works when ctx has ended. A rule of somebody else's that does the same stays.
func (a *Access) Open(ctx context.Context, e Environment, from netip.Addr) (shut func() error, err error) {
	now, err := a.look(ctx, e)
	if err != nil {
		return nil, err
	}
	if now.balancer == nil {
		return nil, fmt.Errorf("the environment %s has no load balancer: %w", e.Name, errNoSetup)
	}
	groups, err := a.machineGroups(ctx, e, now)
	if err != nil {
		return nil, err
	}
	rule := permission(sshPort, single(from))
	_, err = a.Doors.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &groups[0], IpPermissions: []types.IpPermission{rule}})
	if awserr.Is(err, "InvalidPermission.Duplicate") {
		var ours bool
		if ours, err = a.opened(ctx, groups[0], from); err == nil && !ours {
			return func() error { return nil }, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open port %d of %s for %s: %w", sshPort, groups[0], from, err)
	}
	return func() error { return a.shut(context.WithoutCancel(ctx), groups[0], rule, from) }, nil
}

// opened says whether a rule for an address is one of Open's, which a session that was killed has left.
func (a *Access) opened(ctx context.Context, group string, from netip.Addr) (bool, error) {
	out, err := a.Machines.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}})
	if err != nil || len(out.SecurityGroups) == 0 {
		return false, err
	}
	block := netip.PrefixFrom(from, from.BitLen()).String()
	for _, p := range out.SecurityGroups[0].IpPermissions {
		if aws.ToInt32(p.FromPort) != sshPort {
			continue
		}
		for _, r := range p.IpRanges {
			if aws.ToString(r.CidrIp) == block && aws.ToString(r.Description) == doorNote {
				return true, nil
			}
		}
		for _, r := range p.Ipv6Ranges {
			if aws.ToString(r.CidrIpv6) == block && aws.ToString(r.Description) == doorNote {
				return true, nil
			}
		}
	}
	return false, nil
}

func (a *Access) shut(ctx context.Context, group string, rule types.IpPermission, from netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, closeLimit)
	defer cancel()
	_, err := a.Doors.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []types.IpPermission{rule}})
	if err = unless(err, "InvalidPermission.NotFound"); err != nil {
		return fmt.Errorf("close port %d of %s for %s: %w", sshPort, group, from, err)
	}
	return nil
}

// single is one address as a source.
func single(from netip.Addr) types.IpPermission {
	block, why := aws.String(netip.PrefixFrom(from, from.BitLen()).String()), aws.String(doorNote)
	if from.Is6() {
		return types.IpPermission{Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: block, Description: why}}}
	}
	return types.IpPermission{IpRanges: []types.IpRange{{CidrIp: block, Description: why}}}
}
