package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// found is what there is of what an environment stands on.
type found struct {
	vpc     string
	own     bool     // setup has made the network
	spare   []string // other VPCs of the environment's own: the answer was lost when they were made
	block   string
	subnets []string // one a zone
	zones   []string // those of the subnets
	hidden  []string // those whose machines get no public address; always none where the network is not setup's

	gateways []string // those of the VPC, and of none
	attached string   // the gateway that is attached to the VPC
	tables   []string // of routes, in the VPC
	table    string   // the one in use
	routed   bool     // all subnets reach the internet; always so where the network is not setup's

	groups map[string]*types.SecurityGroup // by role

	balancer  *elbtypes.LoadBalancer
	listeners map[int32]elbtypes.Listener // by port
}

// group is the id of the security group of a role; "" when there is none.
func (f found) group(role string) string {
	if g := f.groups[role]; g != nil {
		return aws.ToString(g.GroupId)
	}
	return ""
}

// missing are the ports that nobody listens on yet.
func (f found) missing(e Environment) []int32 {
	return slices.DeleteFunc(e.ports(), func(port int32) bool { _, ok := f.listeners[port]; return ok })
}

// ports are those of the load balancer, the one that has the traffic first.
func (e Environment) ports() []int32 {
	if e.Certificate != "" {
		return []int32{443, 80}
	}
	return []int32{80}
}

// find looks for all of it, by its tags or by the ids that the environment names.
func (s *setup) find(ctx context.Context) (found, error) {
	f := found{groups: map[string]*types.SecurityGroup{}, listeners: map[int32]elbtypes.Listener{}}
	for _, look := range []func(context.Context, *found) error{s.findBalancer, s.findNetwork, s.findGroups} {
		if err := look(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (s *setup) findBalancer(ctx context.Context, f *found) error {
	now := &state{}
	if err := s.lookBalancer(ctx, s.env, now); err != nil || now.balancer == nil {
		return err
	}
	f.balancer = now.balancer
	if in := aws.ToString(f.balancer.VpcId); s.env.VPC != "" && in != s.env.VPC {
		return fmt.Errorf("the load balancer of %s is in %s, and vpc_id says %s: name the one that it is in, or destroy the environment first", s.env.Name, in, s.env.VPC)
	}
	out, err := s.Listeners.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: now.balancer.LoadBalancerArn})
	if err != nil {
		return fmt.Errorf("read the listeners: %w", err)
	}
	for _, l := range out.Listeners {
		f.listeners[aws.ToInt32(l.Port)] = l
	}
	return nil
}

func (s *setup) findNetwork(ctx context.Context, f *found) error {
	in := &ec2.DescribeVpcsInput{Filters: s.env.roleFilters(RoleNetwork)}
	if s.env.VPC != "" {
		in = &ec2.DescribeVpcsInput{VpcIds: []string{s.env.VPC}}
	}
	out, err := s.Network.DescribeVpcs(ctx, in)
	if err != nil {
		return fmt.Errorf("read the VPC: %w", err)
	}
	f.own = s.env.VPC == ""
	if len(out.Vpcs) == 0 {
		return nil
	}
	f.pick(out.Vpcs)
	if err := s.findSubnets(ctx, f); err != nil || !f.own {
		f.routed = true // or not: that is for whoever has made the network
		return err
	}
	return s.findRoutes(ctx, f)
}

// pick chooses the VPC: that of the load balancer, or the same one each time.
func (f *found) pick(vpcs []types.Vpc) {
	slices.SortFunc(vpcs, func(a, b types.Vpc) int { return compare(a.VpcId, b.VpcId, nil, nil) })
	i := 0
	if f.balancer != nil {
		i = max(0, slices.IndexFunc(vpcs, func(v types.Vpc) bool { return aws.ToString(v.VpcId) == aws.ToString(f.balancer.VpcId) }))
	}
	f.vpc, f.block = aws.ToString(vpcs[i].VpcId), aws.ToString(vpcs[i].CidrBlock)
	for j, v := range vpcs {
		if j != i {
			f.spare = append(f.spare, aws.ToString(v.VpcId))
		}
	}
}

// findSubnets takes one subnet a zone: a load balancer may have no more.
func (s *setup) findSubnets(ctx context.Context, f *found) error {
	in := &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{f.vpc}}}}
	if len(s.env.Subnets) > 0 {
		in = &ec2.DescribeSubnetsInput{SubnetIds: s.env.Subnets}
	}
	out, err := s.Network.DescribeSubnets(ctx, in)
	if err != nil {
		return fmt.Errorf("read the subnets of %s: %w", f.vpc, err)
	}
	slices.SortFunc(out.Subnets, func(a, b types.Subnet) int {
		return compare(a.AvailabilityZone, b.AvailabilityZone, a.SubnetId, b.SubnetId)
	})
	for _, sub := range out.Subnets {
		id, zone := aws.ToString(sub.SubnetId), aws.ToString(sub.AvailabilityZone)
		if aws.ToString(sub.VpcId) != f.vpc {
			return fmt.Errorf("%s is in %s, and not in %s: name the subnets of vpc_id", id, aws.ToString(sub.VpcId), f.vpc)
		}
		if slices.Contains(f.zones, zone) {
			continue
		}
		f.subnets, f.zones = append(f.subnets, id), append(f.zones, zone)
		if f.own && !aws.ToBool(sub.MapPublicIpOnLaunch) {
			f.hidden = append(f.hidden, id)
		}
	}
	if !f.own && len(f.subnets) < ownZones {
		return fmt.Errorf("%s has subnets in %d zones, and a load balancer needs %d: make another, or name subnet_ids", f.vpc, len(f.subnets), ownZones)
	}
	return nil
}

func (s *setup) findRoutes(ctx context.Context, f *found) error {
	gateways, err := s.Network.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: s.env.roleFilters(RoleNetwork)})
	if err != nil {
		return fmt.Errorf("read the internet gateway: %w", err)
	}
	for _, g := range gateways.InternetGateways {
		id := aws.ToString(g.InternetGatewayId)
		if slices.ContainsFunc(g.Attachments, func(a types.InternetGatewayAttachment) bool { return aws.ToString(a.VpcId) == f.vpc }) {
			f.attached = id
		}
		if len(g.Attachments) == 0 || f.attached == id {
			f.gateways = append(f.gateways, id)
		}
	}
	tables, err := s.Network.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: s.env.roleFilters(RoleNetwork)})
	if err != nil {
		return fmt.Errorf("read the route table: %w", err)
	}
	for _, t := range tables.RouteTables {
		if aws.ToString(t.VpcId) != f.vpc {
			continue
		}
		f.tables = append(f.tables, aws.ToString(t.RouteTableId))
		if f.table == "" || len(t.Associations) > 0 {
			f.table = aws.ToString(t.RouteTableId)
			f.routed = f.attached != "" && leadsOut(t, f)
		}
	}
	return nil
}

// leadsOut says whether a route table sends all subnets to the internet gateway.
func leadsOut(t types.RouteTable, f *found) bool {
	out := slices.ContainsFunc(t.Routes, func(r types.Route) bool {
		return aws.ToString(r.DestinationCidrBlock) == anywhere && aws.ToString(r.GatewayId) == f.attached
	})
	for _, id := range f.subnets {
		out = out && slices.ContainsFunc(t.Associations, func(a types.RouteTableAssociation) bool { return aws.ToString(a.SubnetId) == id })
	}
	return out
}

func (s *setup) findGroups(ctx context.Context, f *found) error {
	if f.vpc == "" {
		return nil
	}
	out, err := s.Network.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: append(s.env.filters(), types.Filter{Name: aws.String("vpc-id"), Values: []string{f.vpc}})})
	if err != nil {
		return fmt.Errorf("read the security groups: %w", err)
	}
	for _, g := range out.SecurityGroups {
		f.groups[tagOf(g.Tags, TagRole)] = &g
	}
	return nil
}
