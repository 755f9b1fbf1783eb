package localcloud

import (
	"cmp"
	"slices"
)

func createListener(c *Cloud, r *request) (any, error) {
	lb, err := c.findBalancer(r.region, r.need("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	l := &listener{Balancer: lb.ARN}
	l.Tags = r.tagList("Tags.member")
	err = c.readListener(r, l)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, other := range c.listenersOf(lb.ARN) {
		if other.Port == l.Port {
			return nil, faultf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", lb.ARN)
		}
	}
	l.ARN = elbARN(r.region, below(lb.ARN, "loadbalancer", "listener"))
	c.state.Listeners[l.ARN] = l
	if err := c.route(); err != nil {
		delete(c.state.Listeners, l.ARN)
		return nil, err
	}
	return listenersAnswer([]*listener{l}, ""), nil
}

// readListener reads what a listener is; what is absent stays as it is.
func (c *Cloud) readListener(r *request, l *listener) error {
	l.Protocol = r.oneOf("Protocol", cmp.Or(l.Protocol, "HTTP"), "HTTP", "HTTPS")
	if l.Port = r.within("Port", l.Port, 1, 65535); l.Port == 0 {
		r.problem(missing("Port"))
	}
	l.Policy = r.text("SslPolicy")
	for _, item := range r.eachMember("Certificates") {
		l.Certificates = []string{item.need("CertificateArn")}
	}
	if l.Protocol == "HTTPS" && len(l.Certificates) == 0 {
		r.problem(faultf("CertificateNotFound", "A certificate must be specified for HTTPS listeners"))
	}
	actions, err := c.readActions(r, "DefaultActions", l.Balancer)
	if err != nil {
		return err
	}
	if len(actions) > 0 {
		l.Default = actions
	}
	if len(l.Default) == 0 {
		r.problem(missing("DefaultActions"))
	}
	return nil
}

func modifyListener(c *Cloud, r *request) (any, error) {
	l, err := c.findListener(r.region, r.need("ListenerArn"))
	if err != nil {
		return nil, err
	}
	changed := *l
	err = c.readListener(r, &changed)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	before := *l
	*l = changed
	if err := c.route(); err != nil {
		*l = before
		return nil, err
	}
	return listenersAnswer([]*listener{l}, ""), nil
}

func deleteListener(c *Cloud, r *request) (any, error) {
	l, err := c.findListener(r.region, r.need("ListenerArn"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	c.dropListener(l)
	return nil, c.route()
}

func (c *Cloud) dropListener(l *listener) {
	for _, one := range c.rulesOf(l.ARN) {
		delete(c.state.Rules, one.ARN)
	}
	delete(c.state.Listeners, l.ARN)
}

type listenerItem struct {
	ARN          string       `xml:"ListenerArn"`
	Balancer     string       `xml:"LoadBalancerArn"`
	Port         int          `xml:"Port"`
	Protocol     string       `xml:"Protocol"`
	Certificates []string     `xml:"Certificates>member>CertificateArn,omitempty"`
	Policy       string       `xml:"SslPolicy,omitempty"`
	Default      []actionItem `xml:"DefaultActions>member"`
}

func listenersAnswer(all []*listener, next string) any {
	var answer struct {
		Listeners []listenerItem `xml:"Listeners>member"`
		Next      string         `xml:"NextMarker,omitempty"`
	}
	answer.Next = next
	for _, l := range all {
		answer.Listeners = append(answer.Listeners, listenerItem{
			ARN: l.ARN, Balancer: l.Balancer, Port: l.Port, Protocol: l.Protocol, Certificates: l.Certificates, Policy: l.Policy,
			Default: actionItems(l.Default),
		})
	}
	return answer
}

func describeListeners(c *Cloud, r *request) (any, error) {
	of, ids := r.text("LoadBalancerArn"), r.members("ListenerArns")
	var all []*listener
	if of != "" {
		if _, err := c.findBalancer(r.region, of); err != nil {
			return nil, err
		}
		all = c.listenersOf(of)
	} else if len(ids) == 0 {
		return nil, faultf("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
	}
	for _, id := range ids {
		l, err := c.findListener(r.region, id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	page, next := elbPage(r, all)
	if err := r.checked(); err != nil {
		return nil, err
	}
	return listenersAnswer(page, next), nil
}
