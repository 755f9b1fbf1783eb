package localcloud

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Faults are what a local cloud does wrong on purpose, so that what runs
// against it can be rehearsed. The zero value is a cloud without faults.
type Faults struct {
	// Seed decides which calls a Share means. The same seed and the same calls
	// have the same faults. Optional; defaults to 0.
	Seed uint64 `json:"seed,omitempty"`

	// Clock is how far the cloud's clock is ahead of this computer's; negative:
	// behind. Requests must be signed by it. Optional.
	Clock Span `json:"clock,omitempty"`
	// Rules are asked in their order. One that answers a call, or resets its
	// connection before the effect, is the last that the call reaches.
	Rules []FaultRule `json:"rules"`
}

// FaultRule is one kind of fault: which calls it is for, and what happens to
// them. Several effects may be in one rule, as far as they make sense together.
type FaultRule struct {
	// Action is an action's name, or the beginning of several with a * behind.
	Action string `json:"action"`
	// InstanceType, Subnet and Zone keep a rule to the launches, and the
	// instances, of that type and place. InstanceType may end in a *.
	// Optional; default to any.
	InstanceType string `json:"instance_type,omitempty"`
	Subnet       string `json:"subnet,omitempty"`
	Zone         string `json:"zone,omitempty"`

	// Token keeps a rule to the calls that carry this session token. Optional;
	// defaults to any.
	Token string `json:"token,omitempty"`

	// Nth is which of the calls that reach the rule it strikes, from 1.
	// Optional; defaults to all. Share is how many of them instead, up to 1.
	Nth   []int   `json:"nth,omitempty"`
	Share float64 `json:"share,omitempty"`
	// Times is how often the rule strikes at most. Optional; defaults to no end.
	Times int `json:"times,omitempty"`

	// Delay is how long a call waits before anything else happens to it.
	Delay Span `json:"delay,omitempty"`
	// Error is the code of the answer, instead of the effect; Message is its
	// text. Message is optional, and defaults to AWS's own for that code.
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
	// Reset resets the connection, "before" the effect or "after" it.
	Reset string `json:"reset,omitempty"`
	// Consistency is how long other calls do not know what this one made.
	Consistency Span `json:"consistency,omitempty"`
	// Machine is what is wrong with the machines that a call starts or stops:
	// "never-boots", "dies", "hangs-in-stop" or "disk-full".
	Machine string `json:"machine,omitempty"`
	// Result is how what a call makes ends: "failed".
	Result string `json:"result,omitempty"`
	// After is when a machine dies, or a result is failed. Optional; defaults to
	// at once.
	After Span `json:"after,omitempty"`
	// For is how long a machine hangs. Optional; defaults to until it is forced.
	For Span `json:"for,omitempty"`
	// Bytes is how much a machine can write until its disk is full.
	Bytes int64 `json:"bytes,omitempty"`
}

// FaultCount is a rule at work: how many calls have reached it, and how many of
// them it struck.
type FaultCount struct {
	Rule   FaultRule `json:"rule"`
	Calls  int       `json:"calls"`
	Struck int       `json:"struck"`
}

// The values of FaultRule's closed sets.
const (
	resetBefore = "before"
	resetAfter  = "after"

	neverBoots  = "never-boots"
	dies        = "dies"
	hangsInStop = "hangs-in-stop"
	diskFull    = "disk-full"
)

// answers says whether the rule ends a call before its effect.
func (r FaultRule) answers() bool { return r.Error != "" || r.Reset == resetBefore }

// fault is the rule's error as an answer.
func (r FaultRule) fault() *fault {
	message := r.Message
	if message == "" {
		message = defaultMessage(r.Error)
	}
	return faultf(r.Error, "%s", message)
}

// defaultMessage is what AWS says with a code.
func defaultMessage(code string) string {
	switch code {
	case "RequestLimitExceeded":
		return "Request limit exceeded."
	case "Throttling", "ThrottlingException":
		return "Rate exceeded"
	case "InsufficientInstanceCapacity":
		return "We currently do not have sufficient capacity for the instance type in the Availability Zone you requested. " +
			"Our system will be working on provisioning additional capacity."
	case "InternalError", "InternalFailure":
		return "An internal error has occurred"
	case "ExpiredToken", "ExpiredTokenException":
		return "The security token included in the request is expired"
	case "RequestExpired":
		return "Request has expired."
	case "Unavailable", "ServiceUnavailable":
		return "The service is unavailable. Please try again shortly."
	default:
		return "A fault rule of the local cloud says so"
	}
}

// Span is a time.Duration that is written as text, "1m30s".
type Span time.Duration

// MarshalText writes the text.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText reads the text.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a time such as \"1m30s\"", text)
	}
	*s = Span(d)
	return nil
}

// Validate says all that is wrong with the rules, by rule and field.
func (f Faults) Validate() error {
	var errs []error
	for i, rule := range f.Rules {
		for _, problem := range rule.check() {
			errs = append(errs, fmt.Errorf("rules[%d]%s", i, problem))
		}
	}
	return errors.Join(errs...)
}

// matches says whether a pattern is text, or its beginning with a * behind.
func matches(pattern, text string) bool {
	if beginning, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(text, beginning)
	}
	return pattern == text
}
