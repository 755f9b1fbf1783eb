// Package awsquery calls services of AWS that speak its Query protocol, with the
// SDK's own retries, credentials and signatures, but without its clients: each of
// those makes 80 kB of tables at every start of a program that imports it.
package awsquery

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Client calls one service in the region of its configuration.
type Client struct {
	// Config says how to call. Required.
	Config aws.Config

	// Service is the name in the service's address and in signatures, such as autoscaling. Required.
	Service string

	// Setting is the end of the environment variable AWS_ENDPOINT_URL_… that may say
	// another address, such as AUTO_SCALING. Required.
	Setting string

	// Version is the API's. Required.
	Version string
}

// Call calls an action and decodes the answer into out, a pointer to what
// encoding/xml takes: its fields are those of the answer's ActionResult.
func (c *Client) Call(ctx context.Context, action string, params url.Values, out any) error {
	form := url.Values{"Action": {action}, "Version": {c.Version}}
	for name, values := range params {
		form[name] = values
	}
	stack := middleware.NewStack(action, smithyhttp.NewStackRequest)
	if err := c.fill(stack, form, out); err != nil {
		return err
	}
	ctx = awsmiddleware.SetRegion(awsmiddleware.SetOperationName(awsmiddleware.SetServiceID(ctx, c.Service), action), c.Config.Region)
	ctx = awsmiddleware.SetSigningRegion(awsmiddleware.SetSigningName(ctx, c.Service), c.Config.Region)
	client := c.Config.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	_, _, err := middleware.DecorateHandler(smithyhttp.NewClientHandler(client), stack).Handle(ctx, form)
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// fill puts the steps of a call together, as the SDK's clients do.
func (c *Client) fill(stack *middleware.Stack, form url.Values, out any) error {
	for _, add := range []func() error{
		func() error { return stack.Serialize.Add(&serialize{c.endpoint(), form.Encode()}, middleware.After) },
		func() error { return smithyhttp.AddComputeContentLengthMiddleware(stack) },
		func() error {
			sign := v4.NewSignHTTPRequestMiddleware(v4.SignHTTPRequestMiddlewareOptions{CredentialsProvider: c.Config.Credentials, Signer: v4.NewSigner()})
			return stack.Finalize.Add(sign, middleware.After)
		},
		func() error {
			return retry.AddRetryMiddlewares(stack, retry.AddRetryMiddlewaresOptions{Retryer: c.retryer()})
		},
		func() error { return stack.Finalize.Add(&v4.ComputePayloadSHA256{}, middleware.Before) },
		func() error { return stack.Deserialize.Add(&deserialize{out}, middleware.After) },
		func() error { return awsmiddleware.AddRecordResponseTiming(stack) },
	} {
		if err := add(); err != nil {
			return err
		}
	}
	for _, option := range c.Config.APIOptions {
		if err := option(stack); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) retryer() aws.Retryer {
	if c.Config.Retryer != nil {
		return c.Config.Retryer()
	}
	return retry.NewStandard()
}

// endpoint is where the region's service is, unless the user's settings say
// otherwise, or the configuration, which is all that counts when it was made without settings.
func (c *Client) endpoint() string {
	own, suffix := "", ""
	if len(c.Config.ConfigSources) > 0 {
		own = os.Getenv("AWS_ENDPOINT_URL_" + c.Setting)
	}
	if strings.HasPrefix(c.Config.Region, "cn-") {
		suffix = ".cn"
	}
	return cmp.Or(own, aws.ToString(c.Config.BaseEndpoint), fmt.Sprintf("https://%s.%s.amazonaws.com%s/", c.Service, c.Config.Region, suffix))
}
