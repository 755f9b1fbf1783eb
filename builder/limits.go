package builder

import (
	"context"
	"strings"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"golang.org/x/time/rate"
)

// limits keeps the calls of all clients of one account below what AWS allows it
// in a region, so that many builds at once wait here instead of being refused
// there; and below that while AWS says that it is too much all the same, because
// others call too. The zero value is ready for use.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*bucket // by region and action
}

// bucket is how often one action may be called in one region.
type bucket struct {
	*rate.Limiter
	full   rate.Limit // as often as AWS allows, when nobody else calls
	slowed time.Time  // when it last became slower
}

// turn waits until a call may be made. The function it returns hears how that went.
func (l *limits) turn(ctx context.Context) (heard func(error) error, err error) {
	b := l.bucket(awsmiddleware.GetRegion(ctx), awsmiddleware.GetOperationName(ctx))
	if err := b.Wait(ctx); err != nil {
		return nil, err
	}
	return func(err error) error { l.adapt(b, err); return nil }, nil
}

// How the pace of an action changes: less by slower, once a second at most, when
// AWS refuses a call for being too many; more by faster of the full pace with
// each that it takes; never less than slowest of that.
const (
	slower  = 0.7
	faster  = 0.05
	slowest = 0.25
)

// adapt changes the pace by how a call went.
func (l *limits) adapt(b *bucket, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case err == nil:
		b.SetLimitAt(now, min(b.full, b.Limit()+faster*b.full))
	case troubleOf(err) == throttled && now.Sub(b.slowed) >= time.Second:
		b.slowed = now
		b.SetLimitAt(now, max(slowest*b.full, slower*b.Limit()))
		b.AllowN(now, int(b.TokensAt(now))) // AWS has none left either
	}
}

// bucket is that of one action in one region.
func (l *limits) bucket(region, action string) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = map[string]*bucket{}
	}
	key := region + " " + action
	if l.buckets[key] == nil {
		l.buckets[key] = newBucket(action)
	}
	return l.buckets[key]
}

// newBucket is as often as AWS lets an action be called: so many times a second,
// and so many at once (docs.aws.amazon.com, "Request throttling for the Amazon
// EC2 API"). For reads it is the lesser of two: AWS allows twice as much to
// those that filter and paginate.
func newBucket(action string) *bucket {
	perSecond, atOnce := rate.Limit(5), 50
	switch {
	case action == "RunInstances":
		perSecond, atOnce = 2, 5
	case strings.HasPrefix(action, "Describe"), strings.HasPrefix(action, "Get"):
		perSecond, atOnce = 10, 50
	}
	return &bucket{Limiter: rate.NewLimiter(perSecond, atOnce), full: perSecond}
}
