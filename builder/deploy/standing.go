package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Standing lists what Destroy would take down.
func (i *Infrastructure) Standing(ctx context.Context, e Environment) ([]string, error) {
	s := &setup{Infrastructure: i, env: e}
	f, err := s.find(ctx)
	if err != nil {
		return nil, err
	}
	s.found = f
	now, err := i.look(ctx, e)
	if err != nil {
		return nil, err
	}
	all := now.standing()
	if f.balancer != nil {
		all = append(all, fmt.Sprintf("load balancer %s (%s)", e.name(), aws.ToString(f.balancer.DNSName)))
		if e.Domain != "" {
			_, there, err := s.findRecord(ctx)
			if err == nil && s.isOurs(there) {
				all = append(all, "the DNS record of "+e.Domain)
			}
		}
	}
	return append(all, f.standing()...), nil
}

// standing is what releases have.
func (s *state) standing() (all []string) {
	for _, u := range s.units {
		if u.group != nil {
			all = append(all, fmt.Sprintf("auto scaling group %s, %d machines", aws.ToString(u.group.AutoScalingGroupName), len(u.group.Instances)))
		}
		if u.target != "" {
			_, name, _ := strings.Cut(u.target, ":targetgroup/") // behind it there is an id
			name, _, _ = strings.Cut(name, "/")
			all = append(all, "target group "+name)
		}
	}
	slices.Sort(all)
	if s.template != "" {
		all = append(all, fmt.Sprintf("launch template %s, %d releases", s.template, len(s.versions)))
	}
	return all
}

// standing is what setup has made, beside the load balancer.
func (f found) standing() (all []string) {
	add := func(kind string, ids ...string) {
		for _, id := range ids {
			if id != "" {
				all = append(all, kind+" "+id)
			}
		}
	}
	add("security group", f.group(RoleMachines), f.group(RoleBalancer))
	if f.own {
		add("subnet", f.subnets...)
		add("internet gateway", f.gateways...)
		add("route table", f.tables...)
		add("VPC", f.vpc)
		add("VPC", f.spare...)
	}
	return all
}
