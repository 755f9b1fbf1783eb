package builder

import (
	"context"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// Limits keeps the calls of all clients of one account below what AWS allows it
// in a region, so that many builds at once wait here instead of being refused
// there. The zero value is ready for use.
type Limits struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter // by region and action
}

// Apply makes a client wait its turn before each try of a call; it is an option of ec2.NewFromConfig.
func (l *Limits) Apply(o *ec2.Options) {
	region := o.Region
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("imagoLimits", func(
			ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
		) (middleware.FinalizeOutput, middleware.Metadata, error) {
			action := awsmiddleware.GetOperationName(ctx)
			if err := l.limiter(region, action).Wait(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
	})
}

// limiter is the bucket of one action in one region.
func (l *Limits) limiter(region, action string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = map[string]*rate.Limiter{}
	}
	key := region + " " + action
	if l.buckets[key] == nil {
		l.buckets[key] = bucket(action)
	}
	return l.buckets[key]
}

// bucket is as often as AWS lets an action be called: so many times a second,
// and so many at once (docs.aws.amazon.com, "Request throttling for the Amazon
// EC2 API"). For reads it is the lesser of two: AWS allows twice as much to
// those that filter and paginate.
func bucket(action string) *rate.Limiter {
	switch {
	case action == "RunInstances":
		return rate.NewLimiter(2, 5)
	case strings.HasPrefix(action, "Describe"), strings.HasPrefix(action, "Get"):
		return rate.NewLimiter(10, 50)
	}
	return rate.NewLimiter(5, 50)
}
