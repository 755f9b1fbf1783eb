package deploy

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/e2e/load"
)

// place is one environment, which the test sets up and takes down again.
type place struct {
	deploy.Environment
	address string
	infra   *deploy.Infrastructure

	mu     sync.Mutex
	events []deploy.Event
}

// newPlace sets an environment up.
func newPlace(t *testing.T, name string) *place {
	t.Helper()
	p := &place{Environment: deploy.Environment{
		Application: "shop", Name: name, Region: "us-east-1", InstanceType: "t3.micro",
		Min: 2, Max: 6, Desired: 2, Port: 8080, HealthPath: "/health", VersionHeader: load.ImageHeader,
		KeepWarm: 10 * time.Minute, Drain: 4 * time.Second, Watch: 2 * time.Second, Timeout: 2 * time.Minute,
	}}
	cfg := cloud.config("")
	p.infra = &deploy.Infrastructure{
		Deployer: p.deployer(t, "setup"), Network: ec2.NewFromConfig(cfg), Balancers: elb.NewFromConfig(cfg), DNS: route53.NewFromConfig(cfg),
	}
	t.Cleanup(func() {
		if err := p.infra.Destroy(after(t), p.Environment); err != nil {
			t.Errorf("destroy: %v", err)
		}
	})
	where, err := p.infra.Setup(t.Context(), p.Environment)
	if err != nil {
		t.Fatalf("setup: %v", err)
	}
	p.address = where.Address
	return p
}

// deployer is one for somebody.
func (p *place) deployer(t *testing.T, who string) *deploy.Deployer {
	d := deployerAt("")
	d.Holder = who
	d.Notify = func(e deploy.Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, e)
		t.Logf("%s %-6s %s", e.At.Format("05.000"), e.Step, e.Text)
	}
	return d
}

func deployerAt(endpoint string) *deploy.Deployer {
	return deployerIn(func(*aws.Config) {}, endpoint)
}

// deployerIn is one whose configuration is changed.
func deployerIn(change func(*aws.Config), endpoint string) *deploy.Deployer {
	cfg := cloud.config(endpoint)
	change(&cfg)
	new(builder.Calls).Configure(&cfg)
	machines, balancers := ec2.NewFromConfig(cfg), elb.NewFromConfig(cfg)
	return &deploy.Deployer{Machines: machines, Templates: machines, Groups: autoscaling.NewFromConfig(cfg), Targets: balancers, Listeners: balancers}
}

// release puts an image into service, and fails the test when that fails.
func (p *place) release(t *testing.T, image string) deploy.Result {
	t.Helper()
	r, err := p.deployer(t, "anna@laptop").Run(t.Context(), p.Environment, deploy.Wanted{Image: image, Commit: "0123abc"})
	if err != nil {
		t.Fatalf("release: %s", explained(err))
	}
	return r
}

// underLoad does something while users ask, and returns what came of their requests.
func (p *place) underLoad(t *testing.T, c load.Config, do func()) *load.Report {
	t.Helper()
	c.URL = "http://" + p.address
	ctx, end := context.WithTimeout(t.Context(), 10*time.Minute)
	defer end()
	reported := make(chan *load.Report, 1)
	go func() { reported <- load.Run(ctx, c) }()
	defer func() { end(); <-reported }() // when do ends the test
	do()
	end()
	r := <-reported
	reported <- r
	t.Logf("the load:\n%s", r)
	return r
}

// spotless fails the test when a request has failed.
func spotless(t *testing.T, r *load.Report) {
	t.Helper()
	if r.Failed() > 0 || r.Requests() == 0 {
		t.Errorf("%d of %d requests failed", r.Failed(), r.Requests())
	}
}

// light is a load of each kind of request that leaves room for others.
func light() load.Config {
	return load.Config{Rate: 40, New: 0.2, Post: 0.2, Slow: 2, SlowFor: 3 * time.Second, WebSockets: 2}
}

// explained is an error with what its machines said.
func explained(err error) string {
	text := err.Error()
	if bad, ok := err.(*deploy.UnhealthyError); ok {
		text += "\n  " + strings.Join(bad.Evidence, "\n  ")
	}
	return text
}
