// Package awserr reads the errors of AWS.
package awserr

import (
	"errors"
	"slices"

	"github.com/aws/smithy-go"
)

// Is says whether AWS answered with one of these error codes.
func Is(err error, codes ...string) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}
