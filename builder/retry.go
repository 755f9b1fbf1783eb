package builder

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// policy is what is done about a trouble: the call is made again for so long,
// after pauses that double from first to most, each shortened by chance so that
// builds do not call in step.
type policy struct {
	patience    time.Duration // since the call's first try
	first, most time.Duration
	once        bool // instead: one more time, when what is wrong has been put right
}

// policy is all there is to know about trying again. How long a call goes on is
// bounded by its context too, which is to say by the wait or the clean-up that
// it is part of. What AWS does not know yet is the one thing that is not in
// here, since it hangs on who made it: see settled.
func (c *Calls) policy(t trouble) policy {
	switch t {
	case throttled: // and all calls of that kind slow down: see limits
		return policy{patience: throttledPatience, first: 500 * time.Millisecond, most: 10 * time.Second}
	case outage:
		return policy{patience: c.patience(), first: 200 * time.Millisecond, most: 10 * time.Second}
	case cutOff: // what would make something twice has a client token, or a name that AWS gives out once
		return policy{patience: c.patience(), first: 50 * time.Millisecond, most: 5 * time.Second}
	case expired: // with fresh credentials
		return policy{once: true}
	case skewed: // signed by AWS's clock, as the SDK does from then on
		return policy{once: true}
	}
	return policy{} // noCapacity and noQuota too: run asks for another type, or elsewhere
}

// throttledPatience is for an account whose other users leave it nothing.
const throttledPatience = 15 * time.Minute

// retryer is the policy as the SDK asks for it, for the clients that have these credentials.
type retryer struct {
	calls       *Calls
	credentials aws.CredentialsProvider
}

var _ aws.RetryerV2 = (*retryer)(nil)

// MaxAttempts is 0, for no bound but time, unless the user gave one.
func (r *retryer) MaxAttempts() int { return r.calls.Tries }

// IsErrorRetryable says whether trying again may help.
func (r *retryer) IsErrorRetryable(err error) bool {
	p := r.calls.policy(troubleOf(err))
	return p.once || p.patience > 0
}

// RetryDelay is how long to pause after the n-th try.
func (r *retryer) RetryDelay(n int, err error) (time.Duration, error) {
	p := r.calls.policy(troubleOf(err))
	if p.first == 0 {
		return 0, nil
	}
	pause := min(p.first<<min(n-1, 20), p.most)
	return pause/4 + rand.N(pause*3/4), nil
}

// GetRetryToken puts right what can be, and says no when the time is over.
func (r *retryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	c, t := callOf(ctx), troubleOf(err)
	p := r.calls.policy(t)
	switch {
	case p.once && c.put[t]:
		c.why = r.explain(c, t, err)
	case t == expired:
		c.why = r.renew(ctx, c, err)
	case t == skewed:
		r.calls.tellSkew(skewOf(err))
	case t == throttled && unwanted(ctx):
		c.why = err
	case !p.once && time.Since(c.began) > p.patience:
		c.why = &givenUpError{time.Since(c.began), err}
	}
	c.put[t] = true
	if c.why != nil {
		return nil, errGivenUp
	}
	r.calls.tellSlow(ctx, c, err)
	return released, nil
}

// errGivenUp ends the SDK's tries. Nobody sees it: the call's own explanation is put in its place.
var errGivenUp = errors.New("given up")

// GetInitialToken is of no use beside GetAttemptToken.
func (r *retryer) GetInitialToken() func(error) error { return released }

// GetAttemptToken waits for the call's turn, and hears how it went.
func (r *retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	c := callOf(ctx)
	if r.credentials != nil {
		c.credentials, _ = r.credentials.Retrieve(ctx) // what cannot be had, signing says
	}
	return r.calls.limits.turn(ctx)
}

func released(error) error { return nil }
