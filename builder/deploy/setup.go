package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// Infrastructure makes and removes what an environment stands on.
type Infrastructure struct {
	*Deployer
	Network   Network
	Balancers Balancers
	DNS       DNS
	// Force has a DNS record that somebody else has made point here.
	Force bool
}

// Place is where an environment is.
type Place struct {
	VPC     string   `json:"vpc"`
	Subnets []string `json:"subnets"`
	// Address is the load balancer's name in DNS, Domain the name that users call.
	Address string `json:"address"`
	Domain  string `json:"domain,omitempty"`
	// Changes counts what setup had to change: 0 the second time.
	Changes int `json:"changes"`
}

// Setup makes what an environment stands on and is not there yet: a network with
// two subnets, security groups, a load balancer, a DNS record. What is there, by
// its tags or by the ids that the environment names, is used. It may be run again.
func (i *Infrastructure) Setup(ctx context.Context, e Environment) (p Place, err error) {
	s := &setup{Infrastructure: i, step: "setup", env: e}
	if s.found, err = s.find(ctx); err != nil {
		return p, err
	}
	led, err := s.checkRecord(ctx)
	if err != nil {
		return p, err
	}
	if led && s.found.complete(e) {
		return s.place(), nil
	}
	held, letGo, err := i.take(ctx, e)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, letGo()) }()
	if s.found, err = s.find(held); err != nil {
		return p, err
	}
	for _, ensure := range []func(context.Context) error{s.network, s.groups, s.loadBalancer, s.listeners, s.record} {
		if err := ensure(held); err != nil {
			return s.place(), err
		}
	}
	return s.place(), nil
}

// setup is one run of Setup, or of Destroy.
type setup struct {
	*Infrastructure
	step    string
	env     Environment
	found   found
	changes int
}

// made makes one thing that is missing, or takes one away.
func (s *setup) made(ctx context.Context, what string, do func() error) error {
	err := s.change(ctx, s.step, what, do)
	if err == nil {
		s.changes++
	}
	return err
}

func (s *setup) place() Place {
	p := Place{VPC: s.found.vpc, Subnets: s.found.subnets, Domain: s.env.Domain, Changes: s.changes}
	if s.found.balancer != nil {
		p.Address = aws.ToString(s.found.balancer.DNSName)
	}
	return p
}

// complete says whether nothing is missing, beside the domain in DNS.
func (f found) complete(e Environment) bool {
	return f.vpc != "" && len(f.subnets) >= ownZones && len(f.hidden) == 0 && f.routed && f.secured(e) && f.balancer != nil &&
		len(f.missing(e)) == 0 && !f.plain(e)
}

// loadBalancer makes the load balancer, and waits until it is active.
func (s *setup) loadBalancer(ctx context.Context) error {
	if s.found.balancer == nil {
		err := s.made(ctx, "made load balancer "+s.env.name(), func() error {
			out, err := s.Balancers.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
				Name: aws.String(s.env.name()), Type: elbtypes.LoadBalancerTypeEnumApplication, Scheme: elbtypes.LoadBalancerSchemeEnumInternetFacing,
				Subnets: s.found.subnets, SecurityGroups: []string{s.found.group(RoleBalancer)}, Tags: s.env.elbTags(RoleBalancer),
			})
			if err == nil {
				s.found.balancer = &out.LoadBalancers[0]
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		out, err := s.Listeners.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{*s.found.balancer.LoadBalancerArn}})
		if err != nil {
			return false, fmt.Errorf("wait for the load balancer: %w", err)
		}
		s.found.balancer = &out.LoadBalancers[0]
		if out.LoadBalancers[0].State.Code == elbtypes.LoadBalancerStateEnumFailed {
			return false, fmt.Errorf("load balancer %s: %s", s.env.name(), aws.ToString(out.LoadBalancers[0].State.Reason))
		}
		return out.LoadBalancers[0].State.Code == elbtypes.LoadBalancerStateEnumActive, nil
	})
}

// listeners makes those that are missing. Until the first release the one that
// is for users says so.
func (s *setup) listeners(ctx context.Context) error {
	for _, port := range s.found.missing(s.env) {
		in := &elb.CreateListenerInput{
			LoadBalancerArn: s.found.balancer.LoadBalancerArn, Port: &port, Protocol: elbtypes.ProtocolEnumHttp,
			DefaultActions: nothingYet(), Tags: s.env.elbTags(RoleBalancer),
		}
		switch plain, ok := s.found.listeners[80]; {
		case port == 443:
			in.Protocol, in.Certificates = elbtypes.ProtocolEnumHttps, []elbtypes.Certificate{{CertificateArn: &s.env.Certificate}}
			if ok { // what served without a certificate serves with it
				in.DefaultActions = plain.DefaultActions
			}
		case s.env.Certificate != "":
			in.DefaultActions = toHTTPS()
		}
		if err := s.made(ctx, fmt.Sprintf("has the load balancer listen on port %d", port), func() error {
			_, err := s.Balancers.CreateListener(ctx, in)
			return unless(err, "DuplicateListener")
		}); err != nil {
			return err
		}
	}
	if !s.found.plain(s.env) {
		return nil
	}
	return s.made(ctx, "has port 80 lead to HTTPS", func() error {
		_, err := s.Listeners.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: s.found.listeners[80].ListenerArn, DefaultActions: toHTTPS()})
		return err
	})
}

// plain says whether port 80 answers itself although there is a certificate.
func (f found) plain(e Environment) bool {
	l, ok := f.listeners[80]
	return ok && e.Certificate != "" && (len(l.DefaultActions) != 1 || l.DefaultActions[0].Type != elbtypes.ActionTypeEnumRedirect)
}

func nothingYet() []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
		StatusCode: aws.String("503"), ContentType: aws.String("text/plain"), MessageBody: aws.String("Nothing has been released here yet.\n"),
	}}}
}

func toHTTPS() []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{
		Protocol: aws.String("HTTPS"), Port: aws.String("443"), StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301,
	}}}
}
