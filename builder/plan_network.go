package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// planNetwork finds VPC and subnet.
func (b *Builder) planNetwork(ctx context.Context, p *Plan) error {
	defer b.span(SpanAWS, "look up the network")()
	n := p.Config.Network
	if err := b.planVPC(ctx, p, n); err != nil {
		return err
	}
	return b.planSubnet(ctx, p, n)
}

func (b *Builder) planVPC(ctx context.Context, p *Plan, n Network) error {
	p.VPC = n.VPC
	if n.VPC != "" || n.VPCFilter == nil {
		return nil
	}
	out, err := b.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: toFilters(n.VPCFilter)})
	if err != nil {
		return fmt.Errorf("look up the VPC by filter: %w", err)
	}
	if len(out.Vpcs) != 1 {
		return fmt.Errorf("%d VPCs match vpc_filter; it must be exactly one", len(out.Vpcs))
	}
	p.VPC = aws.ToString(out.Vpcs[0].VpcId)
	return nil
}

// planSubnet finds the subnet, if one is named in any way, and the VPC it is in.
func (b *Builder) planSubnet(ctx context.Context, p *Plan, n Network) error {
	in := &ec2.DescribeSubnetsInput{}
	switch {
	case n.Subnet != "":
		in.SubnetIds = []string{n.Subnet}
	case n.SubnetFilter != nil:
		in.Filters = toFilters(n.SubnetFilter.Filters)
	case p.VPC == "":
		return nil // the default VPC's, as AWS chooses
	}
	if p.VPC != "" && n.Subnet == "" {
		in.Filters = append(in.Filters, toFilters(map[string][]string{"vpc-id": {p.VPC}})...)
	}
	if n.AvailabilityZone != "" && n.Subnet == "" {
		in.Filters = append(in.Filters, toFilters(map[string][]string{"availability-zone": {n.AvailabilityZone}})...)
	}
	out, err := b.EC2.DescribeSubnets(ctx, in)
	if err != nil {
		return fmt.Errorf("look up the subnet: %w", err)
	}
	all, err := orderSubnets(out.Subnets, n)
	if err != nil {
		return err
	}
	p.Subnet, p.VPC = aws.ToString(all[0].SubnetId), aws.ToString(all[0].VpcId)
	for _, s := range all[1:] {
		if aws.ToString(s.VpcId) == p.VPC { // the temporary security group is of that one
			p.Subnets = append(p.Subnets, aws.ToString(s.SubnetId))
		}
	}
	return nil
}

// orderSubnets puts the one to take first, and those behind it that will do as well.
func orderSubnets(all []types.Subnet, n Network) ([]types.Subnet, error) {
	all = slices.Clone(all)
	switch f := n.SubnetFilter; {
	case len(all) == 0:
		return nil, errors.New("no subnet matches: check subnet_id, subnet_filter, vpc_id and availability_zone")
	case len(all) > 1 && f != nil && f.Random:
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	case len(all) > 1 && f != nil && !f.MostFree:
		return nil, fmt.Errorf("%d subnets match subnet_filter: make it narrower, or choose with most_free or random", len(all))
	default:
		slices.SortStableFunc(all, func(x, y types.Subnet) int {
			return cmp.Compare(aws.ToInt32(y.AvailableIpAddressCount), aws.ToInt32(x.AvailableIpAddressCount))
		})
	}
	return all, nil
}

// planGroups finds the existing security groups, or who may reach a temporary one.
func (b *Builder) planGroups(ctx context.Context, p *Plan) error {
	defer b.span(SpanAWS, "look up who may reach the machine")()
	n := p.Config.Network
	p.Groups = n.SecurityGroups
	if len(p.Groups) == 0 && n.SecurityGroupFilter != nil {
		out, err := b.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: toFilters(n.SecurityGroupFilter)})
		if err != nil {
			return fmt.Errorf("look up the security groups by filter: %w", err)
		}
		if len(out.SecurityGroups) == 0 {
			return errors.New("no security group matches security_group_filter")
		}
		for _, g := range out.SecurityGroups {
			p.Groups = append(p.Groups, aws.ToString(g.GroupId))
		}
	}
	if len(p.Groups) > 0 {
		return nil
	}
	var err error
	p.CIDRs, err = b.callers(ctx, p.Config)
	return err
}

// callers are the addresses that a temporary group lets in: those that the
// template names, else our own. When we come over a private network we cannot
// know which of its addresses we have there.
func (b *Builder) callers(ctx context.Context, cfg Config) ([]string, error) {
	private := strings.HasPrefix(cfg.SSH.Interface, "private_") || cfg.SSH.Bastion != nil
	switch {
	case len(cfg.Network.SourceCIDRs) > 0:
		return cfg.Network.SourceCIDRs, nil
	case private && !cfg.Network.SourcePublicIP:
		return []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}, nil
	}
	ask := b.PublicAddress
	if ask == nil {
		ask = PublicAddress
	}
	ip, err := ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("find our own public address, which alone may reach the machine: %w; name the addresses with temporary_security_group_source_cidrs", err)
	}
	return []string{netip.PrefixFrom(ip, ip.BitLen()).String()}, nil
}

// PublicAddress asks AWS for the address that our connections have on the internet.
func PublicAddress(ctx context.Context) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://checkip.amazonaws.com/", nil)
	if err != nil {
		return netip.Addr{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return netip.Addr{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.ParseAddr(strings.TrimSpace(string(body)))
}
