package builder

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// PendingError says that the time was over while AWS was still making an image.
// It stays, with all that was made for it, and Builder.Resume goes on with it.
type PendingError struct {
	Image, Region string
	Waited        time.Duration
}

// Error names the image, and says how it stands.
func (e *PendingError) Error() string {
	return fmt.Sprintf("%s in %s is still pending after %v; it stays, and AWS goes on making it", e.Image, e.Region, e.Waited)
}

// failedImage is an image that AWS gave up.
type failedImage struct {
	state  types.ImageState
	reason string
}

func (e *failedImage) Error() string { return fmt.Sprintf("the image is %s: %s", e.state, e.reason) }
