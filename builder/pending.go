package builder

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// PendingError says that the time was over, or AWS could not be asked any more,
// while it was still making an image. It stays, with all that was made for it, and
// Builder.Resume goes on with it.
type PendingError struct {
	Image, Region string
	Waited        time.Duration // the bound of the wait
	Err           error         // why AWS could not be asked; nil: the time was over
}

// Error names the image, and says how it stands.
func (e *PendingError) Error() string {
	how := fmt.Sprintf("is still pending after %v", e.Waited)
	if e.Err != nil {
		how = fmt.Sprintf("may still be pending: %v", e.Err)
	}
	return fmt.Sprintf("%s in %s %s; it stays, and AWS goes on making it", e.Image, e.Region, how)
}

// Unwrap returns why AWS could not be asked.
func (e *PendingError) Unwrap() error { return e.Err }

// failedImage is an image that AWS gave up.
type failedImage struct {
	state  types.ImageState
	reason string
}

func (e *failedImage) Error() string { return fmt.Sprintf("the image is %s: %s", e.state, e.reason) }

// unlisted is what AWS has not listed for longer than it may take.
type unlisted struct{ what string }

func (e unlisted) Error() string { return "AWS does not list " + e.what }
