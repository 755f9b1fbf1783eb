package localcloud

import (
	"slices"
	"strconv"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// ruleAction is what becomes of a request: one of the three.
type ruleAction struct {
	Order    int
	Forward  []forwardTo   `json:",omitempty"`
	Fixed    *fixedAnswer  `json:",omitempty"`
	Redirect *redirectItem `json:",omitempty"`
}

// forwardTo is a target group and its weight.
type forwardTo struct {
	Group  string `xml:"TargetGroupArn"`
	Weight int    `xml:"Weight"`
}

type fixedAnswer struct {
	Status      string `xml:"StatusCode"`
	ContentType string `xml:"ContentType,omitempty"`
	Body        string `xml:"MessageBody,omitempty"`
}

type redirectItem struct {
	Protocol, Port, Host, Path, Query string
	Status                            string `xml:"StatusCode"`
}

// readActions reads the actions of a listener or a rule: here there is one.
func (c *Cloud) readActions(r *request, name, balancer string) ([]ruleAction, error) {
	var all []ruleAction
	for _, item := range r.eachMember(name) {
		action := ruleAction{Order: item.within("Order", 1, 1, 50000)}
		var err error
		switch kind := item.need("Type"); kind {
		case "forward":
			action.Forward, err = c.readForward(item, balancer)
		case "fixed-response":
			f := item.at("FixedResponseConfig")
			action.Fixed = &fixedAnswer{f.need("StatusCode"), f.text("ContentType"), f.text("MessageBody")}
			f.within("StatusCode", 200, 200, 599)
		case "redirect":
			to := item.at("RedirectConfig")
			action.Redirect = &redirectItem{
				to.text("Protocol"), to.text("Port"), to.text("Host"), to.text("Path"), to.text("Query"),
				to.oneOf("StatusCode", "HTTP_302", "HTTP_301", "HTTP_302"),
			}
		default:
			err = faultf("InvalidLoadBalancerAction", "The local cloud has no action of the type '%s'; it has forward, fixed-response and redirect.", kind)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, action)
	}
	if len(all) > 1 {
		return nil, faultf("TooManyActions", "You have specified more than one action; the local cloud has no authentication before another.")
	}
	return all, nil
}

// readForward reads where requests go, in either of the two places where it can be said.
func (c *Cloud) readForward(item *request, of string) ([]forwardTo, error) {
	config := item.at("ForwardConfig")
	if sticky := config.at("TargetGroupStickinessConfig"); isTrue(sticky.boolean("Enabled")) {
		return nil, faultf("InvalidConfigurationRequest", "The local cloud has no stickiness.")
	} else {
		sticky.text("DurationSeconds")
	}
	var all []forwardTo
	for _, to := range config.eachMember("TargetGroups") {
		all = append(all, forwardTo{to.need("TargetGroupArn"), to.within("Weight", 1, 0, 999)})
	}
	if id := item.text("TargetGroupArn"); id != "" && len(all) == 0 {
		all = []forwardTo{{id, 1}}
	}
	switch {
	case len(all) == 0:
		return nil, faultf("ValidationError", "A target group ARN must be specified")
	case len(all) > 5:
		return nil, faultf("TooManyTargetGroups", "You have reached the maximum number of target groups in a forward action, which is 5")
	}
	for _, to := range all {
		if _, err := c.findTargetGroup(item.region, to.Group); err != nil {
			return nil, err
		}
		others := slices.DeleteFunc(c.balancersOf(to.Group), func(id string) bool { return id == of })
		if len(others) > 0 {
			return nil, faultf("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", to.Group)
		}
	}
	return all, nil
}

// balancersOf is the load balancers whose listeners send requests to a group.
func (c *Cloud) balancersOf(group string) []string {
	var all []string
	add := func(l *listener, actions []ruleAction) {
		for _, a := range actions {
			if slices.ContainsFunc(a.Forward, func(to forwardTo) bool { return to.Group == group }) && !slices.Contains(all, l.Balancer) {
				all = append(all, l.Balancer)
			}
		}
	}
	for _, l := range c.state.Listeners {
		add(l, l.Default)
	}
	for _, one := range c.state.Rules {
		add(c.state.Listeners[one.Listener], one.Actions)
	}
	return all
}

type actionItem struct {
	Type     string         `xml:"Type"`
	Order    int            `xml:"Order"`
	Group    string         `xml:"TargetGroupArn,omitempty"`
	Forward  *forwardConfig `xml:"ForwardConfig,omitempty"`
	Fixed    *fixedAnswer   `xml:"FixedResponseConfig,omitempty"`
	Redirect *redirectItem  `xml:"RedirectConfig,omitempty"`
}

type forwardConfig struct {
	Groups []forwardTo `xml:"TargetGroups>member"`
	Sticky bool        `xml:"TargetGroupStickinessConfig>Enabled"`
}

func actionItems(actions []ruleAction) []actionItem {
	var items []actionItem
	for _, a := range actions {
		item := actionItem{Type: "forward", Order: a.Order, Fixed: a.Fixed, Redirect: a.Redirect}
		switch {
		case a.Fixed != nil:
			item.Type = "fixed-response"
		case a.Redirect != nil:
			item.Type = "redirect"
		default:
			item.Forward = &forwardConfig{Groups: a.Forward}
		}
		if len(a.Forward) == 1 {
			item.Group = a.Forward[0].Group
		}
		items = append(items, item)
	}
	return items
}

// action is the first of the actions, for the data plane.
func (b *balance) action(actions []ruleAction) balancer.Action {
	a := actions[0]
	switch {
	case a.Fixed != nil:
		status, _ := strconv.Atoi(a.Fixed.Status) // read as a number before
		return balancer.Action{Fixed: &balancer.Fixed{Status: status, ContentType: a.Fixed.ContentType, Body: a.Fixed.Body}}
	case a.Redirect != nil:
		to := balancer.Redirect{Status: 302, Protocol: a.Redirect.Protocol, Host: a.Redirect.Host, Port: a.Redirect.Port, Path: a.Redirect.Path, Query: a.Redirect.Query}
		if a.Redirect.Status == "HTTP_301" {
			to.Status = 301
		}
		return balancer.Action{Redirect: &to}
	}
	var to balancer.Action
	for _, f := range a.Forward {
		to.Forward = append(to.Forward, balancer.Weighted{Group: b.groups[f.Group], Weight: f.Weight})
	}
	return to
}
