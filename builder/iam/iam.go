// Package iam makes instance profiles with a role of their own. It makes the few calls that this takes without the SDK's
// client for all of IAM, which would make every start of the program slower.
package iam

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/awsquery"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// settles is how long IAM may take until one call knows of what another has done
// (docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html, "Changes that I make are not always immediately visible").
const settles = 15 * time.Second

// Client calls IAM.
type Client struct{ query awsquery.Client }

// New is a client that calls as cfg says. IAM has one endpoint in each partition; another one may be given.
func New(cfg aws.Config, endpoint string) *Client {
	region, usual := "us-east-1", "https://iam.amazonaws.com"
	switch {
	case strings.HasPrefix(cfg.Region, "cn-"):
		region, usual = "cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn"
	case strings.HasPrefix(cfg.Region, "us-gov-"):
		region, usual = "us-gov-west-1", "https://iam.us-gov.amazonaws.com"
	}
	if endpoint == "" {
		endpoint = usual
	}
	cfg.Region, cfg.BaseEndpoint, cfg.ConfigSources = region, &endpoint, nil
	return &Client{awsquery.Client{Config: cfg, Service: "iam", Setting: "IAM", Version: "2010-05-08"}}
}

// call makes a call and reads the answer into out. It makes it again when IAM answers with a code that may come of
// what was called before, and that it does not know yet.
func (c *Client) call(ctx context.Context, action string, parameters url.Values, out any, unsettled ...string) error {
	began := time.Now()
	err := poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		err := c.query.Call(ctx, action, parameters, out)
		if awserr.Is(err, append(unsettled, "ConcurrentModification")...) && time.Since(began) < settles {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return fmt.Errorf("IAM %w", err)
	}
	return nil
}
