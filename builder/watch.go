package builder

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/time/rate"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// Watcher looks at the instances, images and other builds that builds wait for: in
// each region two calls of a kind a second, however many builds wait. Builders of the same account share one. The zero value is ready for use.
type Watcher struct {
	mu      sync.Mutex
	regions map[string]*watched
}

// watched is one region.
type watched struct {
	instances poll.Group[types.Instance]
	images    poll.Group[types.Image]
	claims    poll.Group[types.KeyPairInfo]
}

// AWS lets an account call each Describe action 20 times a second and region,
// 10 times when it is neither filtered nor paginated, and 100 or 50 times at
// once (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html). We
// filter and paginate, and take a tenth: others in the account have to wait for
// something too.
const (
	looksASecond = 2
	looksAtOnce  = 8
)

// batch is how many ids go into one call: AWS takes 200 values in a filter.
const batch = 200

// in returns what is watched in a region, through the client of the first who asks.
func (w *Watcher) in(region string, cloud EC2) *watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.regions == nil {
		w.regions = map[string]*watched{}
	}
	r := w.regions[region]
	if r == nil {
		r = &watched{}
		r.instances.Look = func(ctx context.Context, ids []string) (map[string]types.Instance, error) {
			return findInstances(ctx, cloud, ids)
		}
		r.images.Look = func(ctx context.Context, ids []string) (map[string]types.Image, error) {
			return findImages(ctx, cloud, ids)
		}
		r.claims.Look = func(ctx context.Context, names []string) (map[string]types.KeyPairInfo, error) {
			return findClaims(ctx, cloud, names)
		}
		r.claims.Pace, r.claims.Limit = claimPace(), rate.NewLimiter(looksASecond, looksAtOnce)
		r.instances.Pace, r.instances.Limit = poll.HalfSecond(), rate.NewLimiter(looksASecond, looksAtOnce)
		r.images.Pace, r.images.Limit = poll.HalfSecond(), rate.NewLimiter(looksASecond, looksAtOnce)
		w.regions[region] = r
	}
	return r
}

// findInstances looks instances up. It filters by id instead of naming the ids,
// because AWS refuses the whole call for one id that it does not know (yet).
func findInstances(ctx context.Context, cloud EC2, ids []string) (map[string]types.Instance, error) {
	found := map[string]types.Instance{}
	for some := range slices.Chunk(ids, batch) {
		pages := ec2.NewDescribeInstancesPaginator(cloud, &ec2.DescribeInstancesInput{
			Filters: []types.Filter{{Name: aws.String("instance-id"), Values: some}}, MaxResults: aws.Int32(1000),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					found[aws.ToString(i.InstanceId)] = i
				}
			}
		}
	}
	return found, nil
}

// findImages looks our own images up, like findInstances.
func findImages(ctx context.Context, cloud EC2, ids []string) (map[string]types.Image, error) {
	found := map[string]types.Image{}
	for some := range slices.Chunk(ids, batch) {
		pages := ec2.NewDescribeImagesPaginator(cloud, &ec2.DescribeImagesInput{
			Owners: []string{"self"}, IncludeDeprecated: aws.Bool(true),
			Filters: []types.Filter{{Name: aws.String("image-id"), Values: some}}, MaxResults: aws.Int32(1000),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, i := range out.Images {
				found[aws.ToString(i.ImageId)] = i
			}
		}
	}
	return found, nil
}

// watcher is the one that b shares, or b's own.
func (b *Builder) watcher() *Watcher {
	if b.Watcher != nil {
		return b.Watcher
	}
	return &b.own
}
