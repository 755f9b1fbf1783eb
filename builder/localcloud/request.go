package localcloud

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is one call of the EC2 Query protocol. It remembers what a handler
// read: what nobody read is a parameter the local cloud does not have, and a
// caller must hear of it.
type request struct {
	ctx    context.Context
	action string
	region string
	form   url.Values
	prefix string
	struck []FaultRule // the fault rules that this call met

	used     map[string]bool
	problems *[]error
}

func newRequest(ctx context.Context, region string, form url.Values) *request {
	r := &request{
		ctx:      ctx,
		region:   region,
		form:     form,
		used:     map[string]bool{},
		problems: new([]error),
	}
	r.action = r.text("Action")
	r.text("Version")
	return r
}

// text is the value of a parameter, "" when it is absent.
func (r *request) text(name string) string {
	r.used[r.prefix+name] = true
	return r.form.Get(r.prefix + name)
}

// has says whether the parameter, or anything below it, was sent. It does not
// count as reading it.
func (r *request) has(name string) bool {
	full := r.prefix + name
	if r.form.Has(full) {
		return true
	}
	for key := range r.form {
		if strings.HasPrefix(key, full+".") {
			return true
		}
	}
	return false
}

// list is Name.1, Name.2 and so on, in order.
func (r *request) list(name string) []string {
	var values []string
	for _, i := range r.indexes(name) {
		if key := name + "." + strconv.Itoa(i); r.form.Has(r.prefix + key) {
			values = append(values, r.text(key))
		}
	}
	return values
}

// boolean is nil when the parameter is absent.
func (r *request) boolean(name string) *bool {
	switch value := r.text(name); strings.ToLower(value) {
	case "":
		return nil
	case "true", "1":
		return new(true)
	case "false", "0":
		return new(false)
	default:
		r.problem(badValue(r.prefix+name, value, "Expecting true or false."))
		return nil
	}
}

// number is nil when the parameter is absent.
func (r *request) number(name string) *int {
	value := r.text(name)
	if value == "" {
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		r.problem(badValue(r.prefix+name, value, "Expecting a whole number."))
		return nil
	}
	return &n
}

// oneOf is a parameter with a closed set of values; absent means fallback.
func (r *request) oneOf(name, fallback string, allowed ...string) string {
	value := r.text(name)
	if value == "" {
		return fallback
	}
	if !slices.Contains(allowed, value) {
		r.problem(badValue(r.prefix+name, value, "Expecting one of: "+strings.Join(allowed, ", ")+"."))
		return fallback
	}
	return value
}

// need is text that must be there.
func (r *request) need(name string) string {
	value := r.text(name)
	if value == "" {
		r.problem(missing(r.prefix + name))
	}
	return value
}

// at is the view of what is below a parameter: at("Placement").text("Tenancy").
func (r *request) at(name string) *request {
	below := *r
	below.prefix = r.prefix + name + "."
	return &below
}

// each is at(Name.1), at(Name.2) and so on, in order.
func (r *request) each(name string) []*request {
	var items []*request
	for _, i := range r.indexes(name) {
		items = append(items, r.at(name+"."+strconv.Itoa(i)))
	}
	return items
}

func (r *request) indexes(name string) []int {
	seen := map[int]bool{}
	for key := range r.form {
		rest, found := strings.CutPrefix(key, r.prefix+name+".")
		if !found {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(digits); err == nil && digits == strconv.Itoa(i) {
			seen[i] = true
		}
	}
	var all []int
	for i := range seen {
		all = append(all, i)
	}
	slices.Sort(all)
	return all
}

// problem keeps a fault that checked and dryRun will answer with.
func (r *request) problem(err error) { *r.problems = append(*r.problems, err) }

// bad is the first bad value so far.
func (r *request) bad() error {
	if len(*r.problems) > 0 {
		return (*r.problems)[0]
	}
	return nil
}

// checked is the first bad value, or the first parameter nobody read.
func (r *request) checked() error {
	if err := r.bad(); err != nil {
		return err
	}
	var unread []string
	for key := range r.form {
		if !r.used[key] && key != "DryRun" {
			unread = append(unread, key)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	slices.Sort(unread)
	return unknownParameter(unread[0])
}

// dryRun is what stands between reading a request and acting on it: bad
// values, parameters nobody read, and the caller who asked only for an opinion.
func (r *request) dryRun() error {
	asked := r.root().boolean("DryRun")
	if err := r.checked(); err != nil {
		return err
	}
	if asked != nil && *asked {
		return faultf("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	return nil
}

func (r *request) root() *request {
	top := *r
	top.prefix = ""
	return &top
}

// isTrue is false for an absent boolean.
func isTrue(b *bool) bool { return b != nil && *b }
