package deploy

import (
	"context"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// knownLimit is how long AWS may take to know everywhere of what it has just made.
const knownLimit = 30 * time.Second

// whenKnown does something again as long as AWS does not know what it is about,
// which was made a moment ago.
func whenKnown(ctx context.Context, do func() error) error {
	limited, cancel := context.WithTimeout(ctx, knownLimit)
	defer cancel()
	var last error
	err := poll.Until(limited, poll.Seconds(), func(context.Context) (bool, error) {
		last = do()
		if unknown(last) {
			return false, nil
		}
		return last == nil, last
	})
	if limited.Err() != nil && ctx.Err() == nil && last != nil {
		return last
	}
	return err
}

// unknown says whether an error is that AWS does not know something. Auto Scaling
// has one code for all that is wrong, and says in words what it is.
func unknown(err error) bool {
	if awserr.Is(err, "ValidationError") {
		return strings.Contains(err.Error(), "not found") || strings.Contains(err.Error(), "does not exist") || strings.Contains(err.Error(), "fully-formed launch template")
	}
	return awserr.Is(err, "TargetGroupNotFound", "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound")
}
