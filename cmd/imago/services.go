package main

import (
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/imagobuild/imago/builder/deploy"
)

// deployer makes a Deployer that works with these clients.
func (c clients) deployer() *deploy.Deployer {
	calls := (*ec2Calls)(c.ec2(""))
	balancing := c.balancing()
	return &deploy.Deployer{
		Machines: calls, Templates: calls, Targets: balancing, Listeners: balancing,
		Groups: (*scalingCalls)(autoscaling.NewFromConfig(c.calling())),
	}
}

// infrastructure makes what sets environments up and takes them down, around a Deployer.
func (c clients) infrastructure(d *deploy.Deployer) *deploy.Infrastructure {
	return &deploy.Infrastructure{
		Deployer: d, Network: (*ec2Calls)(c.ec2("")), Balancers: c.balancing(),
		DNS: (*dnsCalls)(route53.NewFromConfig(c.calling())),
	}
}

// access makes what finds machines and lets somebody in, around a Deployer.
func (c clients) access(d *deploy.Deployer) *deploy.Access {
	return &deploy.Access{Deployer: d, Doors: (*ec2Calls)(c.ec2(""))}
}

func (c clients) balancing() *balancingCalls {
	return (*balancingCalls)(elb.NewFromConfig(c.calling()))
}
