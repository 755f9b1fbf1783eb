package builder

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// berth is one way to ask AWS for the machine: of which type, in which subnet,
// and under which client token. A call that is made again keeps its token; one
// for something else has another.
type berth struct{ kind, subnet, token string }

// berths are all that will do, in the order in which they are tried: a type in
// every subnet before the next type. Each has a token that no earlier try of
// the launch had: with that AWS would answer with the machine of that.
func (p Plan) berths(try int) []berth {
	c := p.Config.Instance
	kinds := append([]string{c.Type}, c.Types...)
	if c.Spot != nil && len(c.Spot.Types) > 0 {
		kinds = c.Spot.Types
	}
	var all []berth
	for _, kind := range kinds {
		for _, subnet := range append([]string{p.Subnet}, p.Subnets...) {
			all = append(all, berth{kind: kind, subnet: subnet})
		}
	}
	for i := range all {
		all[i].token = "imago-" + p.ID
		if n := (try-1)*len(all) + i + 1; n > 1 {
			all[i].token += fmt.Sprintf("-%d", n)
		}
	}
	return all
}

func (at berth) String() string {
	if at.subnet == "" {
		return at.kind
	}
	return at.kind + " in " + at.subnet
}

// CapacityError says that AWS has no machine for a build, and what it was asked for.
type CapacityError struct {
	Tried []Denied
}

// Denied is one type in one subnet, and why AWS would not run it there.
type Denied struct {
	Type, Subnet string // the subnet is empty where AWS chose
	Err          error

	quota bool // the account's own limit
}

// Error names all that was tried, with AWS's reasons, and what would help.
func (e *CapacityError) Error() string {
	var all []string
	advice := "try again later, or allow more: spot_instance_types, or a subnet_filter with most_free or random"
	for _, d := range e.Tried {
		all = append(all, berth{kind: d.Type, subnet: d.Subnet}.String()+": "+reason(d.Err))
		if d.quota {
			advice = "end machines, or ask for more under Service Quotas: types that count against the same limit of the account were not tried"
		}
	}
	return "no machine to be had: " + strings.Join(all, "; ") + " (" + advice + ")"
}

// Unwrap returns AWS's answers.
func (e *CapacityError) Unwrap() []error {
	var all []error
	for _, d := range e.Tried {
		all = append(all, d.Err)
	}
	return all
}

// reason is AWS's part of an error.
func reason(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

// deny adds an answer, and says whether it means that another berth may do.
func (e *CapacityError) deny(at berth, err error) bool {
	t := troubleOf(err)
	if t != noCapacity && t != noQuota {
		return false
	}
	e.Tried = append(e.Tried, Denied{at.kind, at.subnet, err, t == noQuota})
	return true
}

// hopeless says whether a berth counts against a limit that the account has
// reached. AWS counts the virtual processors of several families together.
func (e *CapacityError) hopeless(at berth) bool {
	return slices.ContainsFunc(e.Tried, func(d Denied) bool { return d.quota && quotaOf(d.Type) == quotaOf(at.kind) })
}

// quotaOf is which families an instance type counts with
// (docs.aws.amazon.com, "Amazon EC2 instance type quotas").
func quotaOf(kind string) string {
	family, _, _ := strings.Cut(kind, ".")
	for _, special := range []string{"dl", "f", "g", "hpc", "inf", "p", "trn", "u", "vt", "x"} {
		if rest, ok := strings.CutPrefix(family, special); ok && rest != "" && !strings.ContainsAny(rest[:1], "abcdefghijklmnopqrstuvwxyz") {
			return strings.Replace(special, "vt", "g", 1)
		}
	}
	return "standard"
}
