package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/template"
)

// How often a call is tried: the SDK's own 3 is too few for an account where
// others build too; an endpoint on this computer is there or is not.
const (
	callTries      = 10
	localCallTries = 3
)

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
	watcher builder.Watcher
	limits  builder.Limits
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
func newClients(ctx context.Context, a template.Access, local *localcloud.Env) (clients, error) {
	if local != nil {
		return localClients(a, *local), nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, loadOptions(a)...)
	if err != nil {
		return clients{}, &usageError{fmt.Errorf("load AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		return clients{}, usagef("no AWS region: set region in the template or AWS_REGION, or use --local")
	}
	if a.AssumeRole != nil {
		assumeRole(&cfg, a.AssumeRole)
	}
	if err := checkCredentials(ctx, cfg); err != nil {
		return clients{}, err
	}
	c := clients{config: cfg, endpoint: a.Endpoint, account: &account{}}
	c.setTries(a.MaxRetries)
	return c, nil
}

// localClients talk to the local cloud: nothing of the user's AWS settings but the region counts.
func localClients(a template.Access, local localcloud.Env) clients {
	c := clients{account: &account{}, config: aws.Config{
		Region:       cmp.Or(a.Region, local.Region),
		BaseEndpoint: &local.Endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(local.AccessKey, local.SecretKey, ""),
	}}
	c.setTries(0)
	return c
}

// loadOptions turns what the template says into the SDK's options.
func loadOptions(a template.Access) []func(*config.LoadOptions) error {
	var o []func(*config.LoadOptions) error
	if a.Region != "" {
		o = append(o, config.WithRegion(a.Region))
	}
	if a.AccessKey != "" || a.SecretKey != "" {
		o = append(o, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(a.AccessKey, a.SecretKey, a.Token)))
	}
	if a.Profile != "" {
		o = append(o, config.WithSharedConfigProfile(a.Profile))
	}
	if a.SharedCredentialsFile != "" {
		o = append(o, config.WithSharedCredentialsFiles([]string{a.SharedCredentialsFile}))
	}
	if a.InsecureTLS {
		o = append(o, config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // insecure_skip_tls_verify, in so many words
		})))
	}
	return o
}

// assumeRole puts the template's role between cfg's credentials and the calls.
func assumeRole(cfg *aws.Config, r *template.AssumeRole) {
	client := sts.NewFromConfig(*cfg)
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

// setTries decides how often a call is tried.
func (c *clients) setTries(template int) {
	tries := callTries
	if c.local() {
		tries = localCallTries
	}
	if template > 0 {
		tries = template + 1
	}
	c.config.RetryMaxAttempts = tries
	c.config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = tries })
	}
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
	return ec2.NewFromConfig(c.config, func(o *ec2.Options) {
		o.Region = cmp.Or(region, o.Region)
		if c.endpoint != "" {
			o.BaseEndpoint = &c.endpoint
		}
		if !c.local() {
			c.account.limits.Apply(o)
		}
	})
}

// builder makes a Builder that works with these clients.
func (c clients) builder() *builder.Builder {
	b := &builder.Builder{
		EC2:      (*ec2Calls)(c.ec2("")),
		Watcher:  &c.account.watcher,
		SSM:      (*ssmCalls)(ssm.NewFromConfig(c.config)),
		InRegion: func(region string) builder.EC2 { return (*ec2Calls)(c.ec2(region)) },
	}
	if c.local() { // its machines see us from here, whatever our address on the internet is
		b.PublicAddress = func(context.Context) (netip.Addr, error) { return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil }
	}
	return b
}
