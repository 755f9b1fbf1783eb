// Package iam makes instance profiles with a role of their own. It speaks the few calls of IAM's Query protocol that this
// takes, because the SDK's client for all of IAM would make every start of the program slower.
package iam

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// version is that of the API.
const version = "2010-05-08"

// tries is how often a call is made that AWS cannot answer, or not now.
const tries = 6

// maxAnswer bounds an answer.
const maxAnswer = 4 << 20

// Client calls IAM.
type Client struct {
	config           aws.Config
	endpoint, region string
}

// New is a client with the credentials of cfg. IAM has one endpoint in each partition; another one may be given.
func New(cfg aws.Config, endpoint string) *Client {
	c := &Client{config: cfg, endpoint: endpoint}
	usual := "https://iam.amazonaws.com"
	switch c.region = "us-east-1"; {
	case strings.HasPrefix(cfg.Region, "cn-"):
		c.region, usual = "cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn"
	case strings.HasPrefix(cfg.Region, "us-gov-"):
		c.region, usual = "us-gov-west-1", "https://iam.us-gov.amazonaws.com"
	}
	if c.endpoint == "" {
		c.endpoint = usual
	}
	return c
}

// call makes a call, again where that helps, and reads the answer into out, if that is not nil.
func (c *Client) call(ctx context.Context, action string, parameters url.Values, out any) (err error) {
	pace := 500 * time.Millisecond
	for try := 1; ; try++ {
		var again bool
		if again, err = c.once(ctx, action, parameters, out); err == nil || !again || try == tries || ctx.Err() != nil {
			break
		}
		if rest := poll.For(ctx, pace); rest != nil {
			return rest
		}
		pace *= 2
	}
	if err != nil {
		return fmt.Errorf("IAM %s: %w", action, err)
	}
	return nil
}

// once makes a call; again says that another try may succeed.
func (c *Client) once(ctx context.Context, action string, parameters url.Values, out any) (again bool, err error) {
	form := url.Values{"Action": {action}, "Version": {version}}
	for name, values := range parameters {
		form[name] = values
	}
	body := []byte(form.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if err := c.sign(ctx, req, body); err != nil {
		return false, err
	}
	client := c.config.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return true, err
	}
	if resp.StatusCode != http.StatusOK {
		return refusal(resp.StatusCode, text)
	}
	if out != nil {
		return false, xml.Unmarshal(text, out)
	}
	return false, nil
}

func (c *Client) sign(ctx context.Context, req *http.Request, body []byte) error {
	if c.config.Credentials == nil {
		return errors.New("there are no credentials")
	}
	keys, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "iam", c.region, time.Now())
}

// refusal is the error in an answer.
func refusal(status int, text []byte) (again bool, err error) {
	var answer struct {
		Error struct{ Code, Message string }
	}
	if xml.Unmarshal(text, &answer) != nil || answer.Error.Code == "" {
		return status >= 500, fmt.Errorf("status %d", status)
	}
	code := answer.Error.Code
	again = status >= 500 || strings.HasPrefix(code, "Throttling") || code == "ConcurrentModification"
	return again, &smithy.GenericAPIError{Code: code, Message: answer.Error.Message}
}

// hasCode says whether IAM answered with a code.
func hasCode(err error, code string) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && api.ErrorCode() == code
}
