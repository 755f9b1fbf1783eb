package deploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// opening is a rule of a security group: who reaches a port. It can be compared.
type opening struct {
	port int32
	from string // a block of addresses, or another group
}

// world is what the load balancer hears: everybody.
func (e Environment) world() []opening {
	var all []opening
	for _, port := range e.ports() {
		all = append(all, opening{port, anywhere})
	}
	return all
}

// fromBalancer is what the machines hear: the load balancer and nobody else.
// Nobody hears port 22.
func (e Environment) fromBalancer(group string) []opening {
	return []opening{{int32(e.Port), group}}
}

// openings are the rules of a security group, as far as they are such.
func openings(g *types.SecurityGroup) (all []opening) {
	if g == nil {
		return nil
	}
	for _, p := range g.IpPermissions {
		if aws.ToString(p.IpProtocol) != "tcp" || aws.ToInt32(p.FromPort) != aws.ToInt32(p.ToPort) {
			continue
		}
		for _, r := range p.IpRanges {
			all = append(all, opening{aws.ToInt32(p.FromPort), aws.ToString(r.CidrIp)})
		}
		for _, pair := range p.UserIdGroupPairs {
			all = append(all, opening{aws.ToInt32(p.FromPort), aws.ToString(pair.GroupId)})
		}
	}
	return all
}

// closed are the openings that a role's group lacks.
func (f found) closed(role string, want []opening) []opening {
	have := openings(f.groups[role])
	return slices.DeleteFunc(want, func(o opening) bool { return slices.Contains(have, o) })
}

// secured says whether both security groups are there, with their rules.
func (f found) secured(e Environment) bool {
	balancer := f.group(RoleBalancer)
	return balancer != "" && f.group(RoleMachines) != "" &&
		len(f.closed(RoleBalancer, e.world()))+len(f.closed(RoleMachines, e.fromBalancer(balancer))) == 0
}

// groups makes the security groups, and opens what is missing in them.
func (s *setup) groups(ctx context.Context) error {
	if err := s.group(ctx, RoleBalancer, "the load balancer of "+s.env.name(), s.env.world()); err != nil {
		return err
	}
	return s.group(ctx, RoleMachines, "the machines of "+s.env.name(), s.env.fromBalancer(s.found.group(RoleBalancer)))
}

func (s *setup) group(ctx context.Context, role, description string, want []opening) error {
	if s.found.group(role) == "" {
		err := s.made(ctx, "made the security group of "+description, func() error { return s.createGroup(ctx, role, description) })
		if err != nil {
			return err
		}
	}
	id, missing := s.found.group(role), s.found.closed(role, want)
	if len(missing) == 0 {
		return nil
	}
	var rules []types.IpPermission
	for _, o := range missing {
		rules = append(rules, o.permission())
	}
	return s.made(ctx, "opened "+id, func() error {
		_, err := s.Network.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: rules})
		return unless(err, "InvalidPermission.Duplicate")
	})
}

// createGroup makes a security group. Where one of its name is there already, it
// may be this one, whose answer was lost.
func (s *setup) createGroup(ctx context.Context, role, description string) error {
	out, err := s.Network.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(s.env.name() + "-" + role), Description: &description, VpcId: &s.found.vpc, TagSpecifications: s.env.specs(types.ResourceTypeSecurityGroup, role),
	})
	if awserr.Is(err, "InvalidGroup.Duplicate") {
		if looked := s.findGroups(ctx, &s.found); looked != nil || s.found.group(role) != "" {
			return looked
		}
	}
	if err == nil {
		s.found.groups[role] = &types.SecurityGroup{GroupId: out.GroupId}
	}
	return err
}

// permission is the opening in AWS's words.
func (o opening) permission() types.IpPermission {
	if o.from == anywhere {
		return permission(o.port, types.IpPermission{IpRanges: []types.IpRange{{CidrIp: &o.from, Description: aws.String("everybody")}}})
	}
	return permission(o.port, types.IpPermission{UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &o.from, Description: aws.String("the load balancer")}}})
}

func permission(port int32, from types.IpPermission) types.IpPermission {
	from.IpProtocol, from.FromPort, from.ToPort = aws.String("tcp"), &port, &port
	return from
}
