package localcloud

import (
	"fmt"
	"net/http"
)

// fault is an answer that says no, with one of AWS's own error codes.
type fault struct {
	Code    string
	Message string
	Status  int
}

func (f *fault) Error() string { return f.Code + ": " + f.Message }

// faultf makes a fault whose HTTP status is the one AWS sends with the code.
func faultf(code, format string, args ...any) *fault {
	return &fault{Code: code, Message: fmt.Sprintf(format, args...), Status: statusOf(code)}
}

func statusOf(code string) int {
	switch code {
	case "AuthFailure":
		return http.StatusUnauthorized
	case "SignatureDoesNotMatch", "MissingAuthenticationToken", "InvalidClientTokenId",
		"UnauthorizedOperation", "IncompleteSignature":
		return http.StatusForbidden
	case "DryRunOperation":
		return http.StatusPreconditionFailed
	case "InternalError", "InternalFailure", "InsufficientInstanceCapacity", "InsufficientAddressCapacity", "InsufficientCapacity",
		"InsufficientHostCapacity", "InsufficientReservedInstanceCapacity", "InsufficientVolumeCapacity":
		return http.StatusInternalServerError
	case "Unavailable", "ServiceUnavailable", "RequestLimitExceeded":
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

func missing(name string) *fault {
	return faultf("MissingParameter", "The request must contain the parameter %s", name)
}

func unknownParameter(name string) *fault {
	return faultf("UnknownParameter", "The parameter %s is not recognized", name)
}

func badValue(name, value, expecting string) *fault {
	return faultf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, name, expecting)
}
