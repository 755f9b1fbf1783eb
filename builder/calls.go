package builder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// DefaultPatience is how long calls are made again while AWS cannot be reached.
const DefaultPatience = 2 * time.Minute

// DefaultSlow is when Calls.OnSlow hears of a call.
const DefaultSlow = 15 * time.Second

// Calls is how the clients of one account call AWS: no more often than it
// allows, and again when that helps. Clients of one account share one, so that
// many builds at once slow down together. The zero value is ready for use.
type Calls struct {
	// Tries bounds how often a call is tried. Optional; defaults to as often as there is time.
	Tries int

	// Patience is how long a call is made again while AWS does not answer, or
	// has a problem of its own. Optional; defaults to DefaultPatience.
	Patience time.Duration

	// OnSlow is told, once a call, that it has been made again and again for
	// longer than Slow, and what AWS says to it. Optional. Slow is optional too, and
	// defaults to DefaultSlow.
	OnSlow func(action, reason string)
	Slow   time.Duration

	// OnSkew is told, once, that AWS's clock is ahead of this computer's by more
	// than it should be, or behind it. Optional.
	OnSkew func(ahead time.Duration)

	limits limits
	skew   sync.Once
}

// Configure makes all clients of a configuration call AWS that way. It comes
// after the credentials are set.
func (c *Calls) Configure(cfg *aws.Config) {
	r := &retryer{c, cfg.Credentials}
	cfg.Retryer = func() aws.Retryer { return r }
	cfg.RetryMaxAttempts = 0 // the retryer's
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("imagoCall", begin), "Retry", middleware.Before)
	})
}

// begin remembers a call through all its tries.
func begin(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	c := &call{began: time.Now(), put: map[trouble]bool{}}
	out, metadata, err := next.HandleFinalize(context.WithValue(ctx, callKey{}, c), in)
	if err != nil && c.why != nil {
		err = c.why
	}
	return out, metadata, err
}

// call is one call through all its tries.
type call struct {
	began       time.Time
	credentials aws.Credentials  // of the last try
	put         map[trouble]bool // what was put right already
	why         error            // why it is not tried again
	told        bool             // that it takes long
}

type callKey struct{}

// callOf is the call that ctx belongs to. One that nobody remembers is not made again.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{put: map[trouble]bool{}}
}

func (c *Calls) patience() time.Duration { return cmp.Or(c.Patience, DefaultPatience) }

// tellSlow tells of a call that takes long.
func (c *Calls) tellSlow(ctx context.Context, one *call, err error) {
	if one.told || c.OnSlow == nil || time.Since(one.began) < cmp.Or(c.Slow, DefaultSlow) {
		return
	}
	one.told = true
	c.OnSlow(awsmiddleware.GetOperationName(ctx), reason(err))
}

func (c *Calls) tellSkew(ahead time.Duration) {
	if c.OnSkew != nil {
		c.skew.Do(func() { c.OnSkew(ahead) })
	}
}

// givenUpError says how long it was tried.
type givenUpError struct {
	after time.Duration
	err   error
}

func (e *givenUpError) Error() string {
	return fmt.Sprintf("tried for %v: %v", e.after.Round(time.Second), e.err)
}

func (e *givenUpError) Unwrap() error { return e.err }

// renew gets other credentials than those that have expired. Another call may
// have done so meanwhile.
func (r *retryer) renew(ctx context.Context, c *call, cause error) error {
	if r.credentials == nil {
		return r.explain(c, expired, cause)
	}
	if now, err := r.credentials.Retrieve(ctx); err == nil && !same(now, c.credentials) {
		return nil
	}
	if cache, ok := r.credentials.(interface{ Invalidate() }); ok {
		cache.Invalidate()
	}
	now, err := r.credentials.Retrieve(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%w; and there are no new ones: %w", r.explain(c, expired, cause), err)
	case same(now, c.credentials):
		return r.explain(c, expired, cause)
	}
	return nil
}

func same(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}

// explain says what somebody has to put right.
func (r *retryer) explain(c *call, t trouble, err error) error {
	if t == skewed {
		ours, ahead := time.Now().UTC(), skewOf(err)
		return fmt.Errorf("this computer's clock says %s and AWS's %s, which is %v apart: set the clock (timedatectl set-ntp true): %w",
			ours.Format(time.RFC3339), ours.Add(ahead).Format(time.RFC3339), ahead.Abs().Round(time.Second), err)
	}
	return fmt.Errorf("the AWS credentials have expired, which came from %s: renew them there, and run it again: %w", sourceOf(c.credentials), err)
}

// sourceOf says in the user's words where credentials came from.
func sourceOf(c aws.Credentials) string {
	switch c.Source {
	case "EnvConfigCredentials":
		return "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)"
	case "StaticCredentials":
		return "the template (access_key, secret_key, token)"
	case "":
		return "nowhere that says its name"
	}
	return c.Source
}
