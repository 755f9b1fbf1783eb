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
	own     bool // setup has made the network
	block   string
	subnets []string // one a zone
	zones   []string // those of the subnets
	gateway string
	table   string // of routes
	routed  bool   // all subnets reach the internet; always so where the network is not setup's

	balancerGroup, machineGroup string
	opened                      bool // the rules of both are there
	balancer                    *elbtypes.LoadBalancer
	ports                       []int32 // that it listens on
}

// missing are the ports that nobody listens on yet.
func (f found) missing(e Environment) []int32 {
	want := []int32{80}
	if e.Certificate != "" {
		want = []int32{443, 80}
	}
	return slices.DeleteFunc(want, func(port int32) bool { return slices.Contains(f.ports, port) })
}

// find looks for all of it, by its tags or by the ids that the environment names.
func (s *setup) find(ctx context.Context) (found, error) {
	var f found
	for _, look := range []func(context.Context, *found) error{s.findNetwork, s.findGroups, s.findBalancer} {
		if err := look(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
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
	if len(out.Vpcs) == 0 {
		f.own = true
		return nil
	}
	f.vpc, f.own, f.block = *out.Vpcs[0].VpcId, s.env.VPC == "", aws.ToString(out.Vpcs[0].CidrBlock)
	if err := s.findSubnets(ctx, f); err != nil || !f.own {
		f.routed = true // or not: that is for whoever has made the network
		return err
	}
	return s.findRoutes(ctx, f)
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
		if zone := aws.ToString(sub.AvailabilityZone); aws.ToString(sub.VpcId) == f.vpc && !slices.Contains(f.zones, zone) {
			f.subnets, f.zones = append(f.subnets, *sub.SubnetId), append(f.zones, zone)
		}
	}
	if !f.own && len(f.subnets) < 2 {
		return fmt.Errorf("%s has subnets in %d zones, and a load balancer needs two: make another, or name subnet_ids", f.vpc, len(f.subnets))
	}
	return nil
}

func (s *setup) findRoutes(ctx context.Context, f *found) error {
	gateways, err := s.Network.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: s.env.roleFilters(RoleNetwork)})
	if err != nil {
		return fmt.Errorf("read the internet gateway: %w", err)
	}
	attached := false
	for _, g := range gateways.InternetGateways {
		f.gateway = *g.InternetGatewayId
		attached = len(g.Attachments) > 0
	}
	tables, err := s.Network.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: s.env.roleFilters(RoleNetwork)})
	if err != nil {
		return fmt.Errorf("read the route table: %w", err)
	}
	for _, t := range tables.RouteTables {
		f.table = *t.RouteTableId
		f.routed = attached && s.leadsOut(t, f)
	}
	return nil
}

// leadsOut says whether a route table sends all subnets to the internet gateway.
func (s *setup) leadsOut(t types.RouteTable, f *found) bool {
	out := slices.ContainsFunc(t.Routes, func(r types.Route) bool {
		return aws.ToString(r.DestinationCidrBlock) == anywhere && aws.ToString(r.GatewayId) == f.gateway
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
	open := map[string]int{}
	for _, g := range out.SecurityGroups {
		switch role := tagOf(g.Tags, TagRole); role {
		case RoleBalancer:
			f.balancerGroup = *g.GroupId
			open[role] = len(g.IpPermissions)
		case RoleMachines:
			f.machineGroup = *g.GroupId
			open[role] = len(g.IpPermissions)
		}
	}
	f.opened = open[RoleBalancer] > 0 && open[RoleMachines] > 0
	return nil
}

func (s *setup) findBalancer(ctx context.Context, f *found) error {
	now := &state{}
	if err := s.lookBalancer(ctx, s.env, now); err != nil || now.balancer == nil {
		return err
	}
	f.balancer = now.balancer
	out, err := s.Listeners.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: now.balancer.LoadBalancerArn})
	if err != nil {
		return fmt.Errorf("read the listeners: %w", err)
	}
	for _, l := range out.Listeners {
		f.ports = append(f.ports, aws.ToInt32(l.Port))
	}
	return nil
}
