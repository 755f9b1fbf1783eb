package builder

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// visible is how long AWS may take until it knows what it has just made
// (docs.aws.amazon.com, "Eventual consistency in the Amazon EC2 API").
const visible = time.Minute

// settled does what uses things that the build itself has made, again as long
// as AWS may not know of them. That anything else is not there is final at once.
func settled[T any](ctx context.Context, do func(context.Context) (T, error), uses ...thing) (out T, err error) {
	err = poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		out, err = do(ctx)
		if !unwanted(ctx) && slices.ContainsFunc(uses, func(t thing) bool { return t.unseen(err) }) {
			return false, nil
		}
		return true, err
	})
	return out, err
}

// unseen says whether an error means that AWS does not know a thing yet. Later
// the same error means that it is no longer there.
func (t thing) unseen(err error) bool {
	if t.kind == KindProfile {
		return awserr.Is(err, "InvalidParameterValue") && strings.Contains(err.Error(), "iamInstanceProfile") && time.Since(t.since) < visible
	}
	return awserr.Is(err, t.absence()...) && time.Since(t.since) < visible
}

// absence is with which codes AWS says that it does not know a thing. The
// snapshots of an image are as new as the image.
func (t thing) absence() []string {
	switch t.kind {
	case KindInstance:
		return []string{"InvalidInstanceID.NotFound"}
	case KindKeyPair:
		return []string{"InvalidKeyPair.NotFound"}
	case KindGroup:
		return []string{"InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound"}
	case KindImage:
		return []string{"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound"}
	}
	return nil
}
