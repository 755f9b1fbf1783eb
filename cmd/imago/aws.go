package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/iam"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/template"
)

// localPatience is how long an endpoint on this computer is asked again that
// does not answer: it is there or is not.
const localPatience = 10 * time.Second

// credentialsTimeout bounds the search for credentials, whose last resort is a
// metadata service that may not be there.
const credentialsTimeout = 15 * time.Second

// clients are the AWS clients of one build.
type clients struct {
	config   aws.Config
	endpoint string // of EC2, when the template names one
	account  *account
}

// account is what all builds with the same credentials share.
type account struct {
	access  template.Access
	region  string // where the settings name none
	watcher builder.Watcher
	calls   builder.Calls
}

// share lets builds share an account when the template names the same credentials for them.
func share(known *[]*account, a template.Access) *account {
	a.Region = ""
	for _, k := range *known {
		if reflect.DeepEqual(k.access, a) {
			return k
		}
	}
	*known = append(*known, &account{access: a})
	return (*known)[len(*known)-1]
}

// newClients finds region and credentials, and says what to do when there are
// none. With local, it is the local cloud that answers.
func newClients(ctx context.Context, a template.Access, local *localcloud.Env, of *account) (clients, error) {
	if local != nil {
		return localClients(a, *local, of), nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, loadOptions(a, of.region)...)
	if err != nil {
		return clients{}, &usageError{fmt.Errorf("load AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		return clients{}, usagef("no AWS region: set region in the template or AWS_REGION, or use --local")
	}
	cfg.Credentials = &settings{access: a, region: of.region, now: cfg.Credentials}
	if a.AssumeRole != nil {
		assumeRole(&cfg, a.AssumeRole)
	}
	if err := checkCredentials(ctx, cfg); err != nil {
		return clients{}, err
	}
	c := clients{config: cfg, endpoint: a.Endpoint, account: of}
	if a.MaxRetries > 0 {
		of.calls.Tries = a.MaxRetries + 1
	}
	if c.local() {
		of.calls.Patience = localPatience
	}
	return c, nil
}

// localClients talk to the local cloud: nothing of the user's AWS settings but the region counts.
func localClients(a template.Access, local localcloud.Env, of *account) clients {
	of.calls.Patience = localPatience
	return clients{account: of, config: aws.Config{
		Region:       cmp.Or(a.Region, local.Region),
		BaseEndpoint: &local.Endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(local.AccessKey, local.SecretKey, ""),
	}}
}

// assumeRole puts the template's role between cfg's credentials and the calls.
func assumeRole(cfg *aws.Config, r *template.AssumeRole) {
	base := cfg.Copy()
	new(builder.Calls).Configure(&base)
	client := sts.NewFromConfig(base)
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, r.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = cmp.Or(r.SessionName, "imago")
		o.Duration = r.Duration
		if r.ExternalID != "" {
			o.ExternalID = &r.ExternalID
		}
		if r.Policy != "" {
			o.Policy = &r.Policy
		}
		o.TransitiveTagKeys = r.TransitiveTagKeys
		for _, arn := range r.PolicyARNs {
			o.PolicyARNs = append(o.PolicyARNs, ststypes.PolicyDescriptorType{Arn: &arn})
		}
		for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
			o.Tags = append(o.Tags, ststypes.Tag{Key: &key, Value: aws.String(r.Tags[key])})
		}
	}))
}

// checkCredentials looks for credentials before anything is launched with them.
func checkCredentials(ctx context.Context, cfg aws.Config) error {
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	_, err := cfg.Credentials.Retrieve(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		err = errors.New("none found")
	}
	return usagef("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or use --local: %w", err)
}

// calling is the configuration of clients that call as the account allows.
func (c clients) calling() aws.Config {
	cfg := c.config.Copy()
	c.account.calls.Configure(&cfg)
	return cfg
}

// local says whether EC2 is on this computer.
func (c *clients) local() bool {
	return onThisComputer(cmp.Or(c.endpoint, aws.ToString(c.config.BaseEndpoint),
		os.Getenv("AWS_ENDPOINT_URL_EC2"), os.Getenv("AWS_ENDPOINT_URL")))
}

// onThisComputer says whether an endpoint is a loopback address.
func onThisComputer(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// ec2 is a client for one region; an empty region is the configuration's own.
func (c clients) ec2(region string) *ec2.Client {
	return ec2.NewFromConfig(c.calling(), func(o *ec2.Options) {
		o.Region = cmp.Or(region, o.Region)
		if c.endpoint != "" {
			o.BaseEndpoint = &c.endpoint
		}
	})
}

// profiles makes instance profiles.
func (c clients) profiles() *iam.Client {
	return iam.New(c.calling(), cmp.Or(os.Getenv("AWS_ENDPOINT_URL_IAM"), aws.ToString(c.config.BaseEndpoint)))
}

// builder makes a Builder that works with these clients.
func (c clients) builder() *builder.Builder {
	b := &builder.Builder{
		EC2:      (*ec2Calls)(c.ec2("")),
		Watcher:  &c.account.watcher,
		SSM:      (*ssmCalls)(ssm.NewFromConfig(c.calling())),
		Profiles: c.profiles(),
		InRegion: func(region string) builder.EC2 { return (*ec2Calls)(c.ec2(region)) },
	}
	if c.local() { // its machines see us from here, whatever our address on the internet is
		b.PublicAddress = func(context.Context) (netip.Addr, error) { return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil }
	}
	return b
}
