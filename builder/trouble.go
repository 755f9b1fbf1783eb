package builder

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// trouble is why a call of AWS's did not succeed, by what there is to do about it.
type trouble int

const (
	final      trouble = iota // AWS says no, and would again; or nothing is wrong
	throttled                 // the account calls too often
	outage                    // AWS has a problem of its own
	cutOff                    // the call was lost, or its answer
	expired                   // the credentials are no longer good
	skewed                    // this computer's clock and AWS's are too far apart
	noCapacity                // AWS has no machine of this type in this place
	noQuota                   // the account may have no more machines of this kind, wherever
)

// maxSkew is how far apart two clocks may be before AWS, which takes a quarter
// of an hour, is about to refuse what one of them has signed.
const maxSkew = 4 * time.Minute

// troubleOf reads an error of the SDK's. Codes come before the status that AWS
// sends with them: that of a capacity error is 500 too.
func troubleOf(err error) trouble {
	switch {
	case err == nil, canceled(err):
		return final
	case awserr.Is(err, "RequestTimeTooSkewed", "RequestExpired", "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException") && skewOf(err).Abs() > maxSkew:
		return skewed
	case awserr.Is(err, "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"):
		return expired
	case awserr.Is(err, "InsufficientInstanceCapacity", "InsufficientCapacity", "InsufficientHostCapacity", "InsufficientReservedInstanceCapacity",
		"InsufficientFreeAddressesInSubnet", "SpotMaxPriceTooLow", "Unsupported"):
		return noCapacity
	case awserr.Is(err, "InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded"):
		return noQuota
	case retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		return throttled
	case awserr.Is(err, "InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException"),
		slices.Contains([]int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, statusOf(err)):
		return outage
	case unanswered(err):
		return cutOff
	}
	return final
}

// canceled says whether it is us who no longer want an answer. A deadline of the
// HTTP client's own is not that.
func canceled(err error) bool {
	byUs := interface{ CanceledError() bool }(nil)
	return errors.As(err, &byUs) && byUs.CanceledError() || errors.Is(err, context.Canceled)
}

// unanswered finds errors of the connection: no answer has come, or not all of
// it. One that ends because the other side is not who it should be stays so.
func unanswered(err error) bool {
	if _, stranger := errors.AsType[*tls.CertificateVerificationError](err); stranger {
		return false
	}
	return retry.RetryableConnectionError{}.IsErrorRetryable(err) == aws.TrueTernary || errors.Is(err, io.ErrUnexpectedEOF)
}

// statusOf is the HTTP status of an answer, 0 without one.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// skewOf is how much AWS's clock is ahead of this computer's, by the date of its answer.
func skewOf(err error) time.Duration {
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || answer.Response == nil || answer.Response.Response == nil {
		return 0
	}
	at, err := smithyhttp.ParseTime(answer.Response.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return time.Until(at)
}
