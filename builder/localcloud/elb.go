package localcloud

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// elbNamespace is that of Elastic Load Balancing's answers, the version of 2015-12-01.
const elbNamespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"

// elbActions are all that Elastic Load Balancing answers here: application load
// balancers, whose targets are instances.
func elbActions() map[string]handler {
	return map[string]handler{
		"AddTags":                        addBalancerTags,
		"CreateListener":                 createListener,
		"CreateLoadBalancer":             createLoadBalancer,
		"CreateRule":                     createRule,
		"CreateTargetGroup":              createTargetGroup,
		"DeleteListener":                 deleteListener,
		"DeleteLoadBalancer":             deleteLoadBalancer,
		"DeleteRule":                     deleteRule,
		"DeleteTargetGroup":              deleteTargetGroup,
		"DeregisterTargets":              deregisterTargets,
		"DescribeListeners":              describeListeners,
		"DescribeLoadBalancerAttributes": describeLoadBalancerAttributes,
		"DescribeLoadBalancers":          describeLoadBalancers,
		"DescribeRules":                  describeRules,
		"DescribeTags":                   describeBalancerTags,
		"DescribeTargetGroupAttributes":  describeTargetGroupAttributes,
		"DescribeTargetGroups":           describeTargetGroups,
		"DescribeTargetHealth":           describeTargetHealth,
		"ModifyListener":                 modifyListener,
		"ModifyLoadBalancerAttributes":   modifyLoadBalancerAttributes,
		"ModifyRule":                     modifyRule,
		"ModifyTargetGroup":              modifyTargetGroup,
		"ModifyTargetGroupAttributes":    modifyTargetGroupAttributes,
		"RegisterTargets":                registerTargets,
		"RemoveTags":                     removeBalancerTags,
		"SetRulePriorities":              setRulePriorities,
		"SetSecurityGroups":              setSecurityGroups,
		"SetSubnets":                     setSubnets,
	}
}

// loadBalancer is an application load balancer.
type loadBalancer struct {
	ARN        string
	Region     string
	Name       string
	Scheme     string
	VpcID      string
	Subnets    []string
	Groups     []string
	Created    time.Time
	Attributes map[string]string // what differs from AWS's defaults
	Tags       map[string]string
	// Address is where its listeners listen, a loopback address of its own. It
	// is the name in DNS, too: nobody has to ask a DNS server for it.
	Address string
}

// targetGroup is where a load balancer sends requests.
type targetGroup struct {
	ARN        string
	Region     string
	Name       string
	Port       int
	VpcID      string
	Check      groupCheck
	Attributes map[string]string // what differs from AWS's defaults
	Tags       map[string]string
	Targets    []registered
}

// registered is a target that does not drain.
type registered struct {
	ID   string
	Port int
}

// listener is a port of a load balancer.
type listener struct {
	ARN          string
	Balancer     string // its ARN
	Protocol     string // HTTP or HTTPS
	Port         int
	Certificates []string
	Policy       string
	Default      []ruleAction
	Tags         map[string]string
}

// listenerRule is what a listener does before its default actions.
type listenerRule struct {
	ARN        string
	Listener   string // its ARN
	Priority   int
	Conditions []ruleCondition
	Actions    []ruleAction
	Tags       map[string]string
}

// elbARN is the ARN of a resource; its last part is drawn at random.
func elbARN(region string, path ...string) string {
	var b [8]byte
	rand.Read(b[:]) // never returns an error
	return arn("elasticloadbalancing", region, strings.Join(append(path, hex.EncodeToString(b[:])), "/"))
}

// below is the path of what belongs to a resource: listener/app/… of loadbalancer/app/….
func below(parent, from, to string) string {
	_, path, _ := strings.Cut(parent, ":"+from+"/")
	return to + "/" + path
}

func (c *Cloud) findBalancer(region, id string) (*loadBalancer, error) {
	lb := c.state.Balancers[id]
	if lb == nil || lb.Region != region {
		return nil, faultf("LoadBalancerNotFound", "One or more load balancers not found: '%s'", id)
	}
	return lb, nil
}

func (c *Cloud) findTargetGroup(region, id string) (*targetGroup, error) {
	g := c.state.TargetGroups[id]
	if g == nil || g.Region != region {
		return nil, faultf("TargetGroupNotFound", "One or more target groups not found: '%s'", id)
	}
	return g, nil
}

func (c *Cloud) findListener(region, id string) (*listener, error) {
	l := c.state.Listeners[id]
	if l == nil || c.state.Balancers[l.Balancer].Region != region {
		return nil, faultf("ListenerNotFound", "One or more listeners not found: '%s'", id)
	}
	return l, nil
}

func (c *Cloud) findRule(region, id string) (*listenerRule, error) {
	one := c.state.Rules[id]
	if one == nil {
		return nil, faultf("RuleNotFound", "One or more rules not found: '%s'", id)
	}
	if _, err := c.findListener(region, one.Listener); err != nil {
		return nil, err
	}
	return one, nil
}

// listenersOf is a load balancer's listeners, by port.
func (c *Cloud) listenersOf(balancer string) []*listener {
	var all []*listener
	for _, l := range c.state.Listeners {
		if l.Balancer == balancer {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *listener) int { return a.Port - b.Port })
	return all
}

// rulesOf is a listener's rules, by priority, without the default.
func (c *Cloud) rulesOf(listener string) []*listenerRule {
	var all []*listenerRule
	for _, one := range c.state.Rules {
		if one.Listener == listener {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b *listenerRule) int { return a.Priority - b.Priority })
	return all
}

// elbPage cuts an answer by PageSize and Marker.
func elbPage[T any](r *request, all []T) (page []T, next string) {
	size := r.within("PageSize", 400, 1, 400)
	from := r.within("Marker", 0, 0, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next
}

// within is a number from low to high; fallback when it is absent.
func (r *request) within(name string, fallback, low, high int) int {
	n := r.number(name)
	switch {
	case n == nil:
		return fallback
	case *n < low || *n > high:
		r.problem(faultf("ValidationError", "%s '%d' must be between %d and %d inclusive", name, *n, low, high))
		return fallback
	}
	return *n
}

// checkName holds what AWS asks of the names of load balancers and target groups.
func (r *request) checkName(what string) string {
	name := r.need("Name")
	bad := func(ch rune) bool {
		return ch != '-' && (ch < '0' || ch > '9') && (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z')
	}
	switch {
	case len(name) > 32:
		r.problem(faultf("ValidationError", "%s name '%s' cannot be longer than '32' characters", what, name))
	case strings.ContainsFunc(name, bad):
		r.problem(faultf("ValidationError", "%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", what, name))
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		r.problem(faultf("ValidationError", "%s name '%s' cannot begin or end with hyphen", what, name))
	}
	return name
}
