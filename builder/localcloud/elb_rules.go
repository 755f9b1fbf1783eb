package localcloud

import (
	"strconv"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// ruleCondition is what a rule asks of a request.
type ruleCondition struct {
	Field  string
	Header string      `json:",omitempty"`
	Values []string    `json:",omitempty"`
	Pairs  []queryPair `json:",omitempty"`
}

type queryPair struct {
	Key   string `xml:"Key,omitempty"`
	Value string `xml:"Value"`
}

// maxPriority is the highest number, and so the lowest priority, of a rule.
const maxPriority = 50000

// readConditions reads each condition in either of the two places where it can be said.
func readConditions(r *request) []ruleCondition {
	var all []ruleCondition
	for _, item := range r.eachMember("Conditions") {
		one := ruleCondition{Field: item.oneOf("Field", "", "path-pattern", "host-header", "http-header", "http-request-method", "query-string")}
		one.Values = item.members("Values")
		switch one.Field {
		case "path-pattern":
			one.Values = append(one.Values, item.at("PathPatternConfig").members("Values")...)
		case "host-header":
			one.Values = append(one.Values, item.at("HostHeaderConfig").members("Values")...)
		case "http-request-method":
			one.Values = append(one.Values, item.at("HttpRequestMethodConfig").members("Values")...)
		case "http-header":
			config := item.at("HttpHeaderConfig")
			one.Header, one.Values = config.need("HttpHeaderName"), config.members("Values")
		case "query-string":
			for _, pair := range item.at("QueryStringConfig").eachMember("Values") {
				one.Pairs = append(one.Pairs, queryPair{pair.text("Key"), pair.text("Value")})
			}
		}
		if len(one.Values)+len(one.Pairs) == 0 {
			r.problem(faultf("ValidationError", "A condition must have at least one value"))
		}
		all = append(all, one)
	}
	return all
}

func createRule(c *Cloud, r *request) (any, error) {
	l, err := c.findListener(r.region, r.need("ListenerArn"))
	if err != nil {
		return nil, err
	}
	one := &listenerRule{Listener: l.ARN, Priority: r.within("Priority", 0, 1, maxPriority), Conditions: readConditions(r)}
	one.Tags = r.tagList("Tags.member")
	one.Actions, err = c.readActions(r, "Actions", l.Balancer)
	if len(one.Actions) == 0 || len(one.Conditions) == 0 || one.Priority == 0 {
		r.problem(missing("Priority, Conditions and Actions"))
	}
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, other := range c.rulesOf(l.ARN) {
		if other.Priority == one.Priority {
			return nil, faultf("PriorityInUse", "Priority '%d' is currently in use", one.Priority)
		}
	}
	one.ARN = elbARN(r.region, below(l.ARN, "listener", "listener-rule"))
	c.state.Rules[one.ARN] = one
	return rulesAnswer([]listenerRuleItem{one.item()}, ""), c.route()
}

func modifyRule(c *Cloud, r *request) (any, error) {
	one, err := c.findRule(r.region, r.need("RuleArn"))
	if err != nil {
		return nil, err
	}
	conditions := readConditions(r)
	actions, err := c.readActions(r, "Actions", c.state.Listeners[one.Listener].Balancer)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if len(conditions) > 0 {
		one.Conditions = conditions
	}
	if len(actions) > 0 {
		one.Actions = actions
	}
	return rulesAnswer([]listenerRuleItem{one.item()}, ""), c.route()
}

func deleteRule(c *Cloud, r *request) (any, error) {
	one, err := c.findRule(r.region, r.need("RuleArn"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	delete(c.state.Rules, one.ARN)
	return nil, c.route()
}

// setRulePriorities changes several at once: they may trade places.
func setRulePriorities(c *Cloud, r *request) (any, error) {
	changed := map[*listenerRule]int{}
	for _, item := range r.eachMember("RulePriorities") {
		one, err := c.findRule(r.region, item.need("RuleArn"))
		if err != nil {
			return nil, err
		}
		changed[one] = item.within("Priority", one.Priority, 1, maxPriority)
	}
	if err := r.checked(); err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, one := range c.state.Rules {
		priority, moved := changed[one]
		if !moved {
			priority = one.Priority
		}
		place := one.Listener + " " + strconv.Itoa(priority)
		if taken[place] {
			return nil, faultf("PriorityInUse", "Priority '%d' is currently in use", priority)
		}
		taken[place] = true
	}
	var items []listenerRuleItem
	for one, priority := range changed {
		one.Priority = priority
		items = append(items, one.item())
	}
	return rulesAnswer(items, ""), c.route()
}

type conditionItem struct {
	Field   string           `xml:"Field"`
	Values  []string         `xml:"Values>member"`
	Path    *conditionValues `xml:"PathPatternConfig,omitempty"`
	Host    *conditionValues `xml:"HostHeaderConfig,omitempty"`
	Method  *conditionValues `xml:"HttpRequestMethodConfig,omitempty"`
	Header  *headerValues    `xml:"HttpHeaderConfig,omitempty"`
	Queries *queryValues     `xml:"QueryStringConfig,omitempty"`
}

type conditionValues struct {
	Values []string `xml:"Values>member"`
}

type headerValues struct {
	Name   string   `xml:"HttpHeaderName"`
	Values []string `xml:"Values>member"`
}

type queryValues struct {
	Values []queryPair `xml:"Values>member"`
}

type listenerRuleItem struct {
	ARN        string          `xml:"RuleArn"`
	Priority   string          `xml:"Priority"`
	Conditions []conditionItem `xml:"Conditions>member"`
	Actions    []actionItem    `xml:"Actions>member"`
	Default    bool            `xml:"IsDefault"`
}

func (one *listenerRule) item() listenerRuleItem {
	item := listenerRuleItem{ARN: one.ARN, Priority: strconv.Itoa(one.Priority), Actions: actionItems(one.Actions)}
	for _, cond := range one.Conditions {
		shown, values := conditionItem{Field: cond.Field}, &conditionValues{cond.Values}
		switch cond.Field {
		case "path-pattern":
			shown.Values, shown.Path = cond.Values, values
		case "host-header":
			shown.Values, shown.Host = cond.Values, values
		case "http-request-method":
			shown.Method = values
		case "http-header":
			shown.Header = &headerValues{cond.Header, cond.Values}
		case "query-string":
			shown.Queries = &queryValues{cond.Pairs}
		}
		item.Conditions = append(item.Conditions, shown)
	}
	return item
}

func rulesAnswer(items []listenerRuleItem, next string) any {
	return struct {
		Rules []listenerRuleItem `xml:"Rules>member"`
		Next  string             `xml:"NextMarker,omitempty"`
	}{items, next}
}

// describeRules is the rules of a listener, with its default at the end, or some by their ARNs.
func describeRules(c *Cloud, r *request) (any, error) {
	of, ids := r.text("ListenerArn"), r.members("RuleArns")
	if of == "" && len(ids) == 0 {
		return nil, faultf("ValidationError", "You must specify either a listener ARN or rule ARNs")
	}
	var items []listenerRuleItem
	if of != "" {
		l, err := c.findListener(r.region, of)
		if err != nil {
			return nil, err
		}
		for _, one := range c.rulesOf(of) {
			items = append(items, one.item())
		}
		items = append(items, listenerRuleItem{ARN: arnOfDefault(l), Priority: "default", Actions: actionItems(l.Default), Default: true})
	}
	for _, id := range ids {
		one, err := c.findRule(r.region, id)
		if err != nil {
			return nil, err
		}
		items = append(items, one.item())
	}
	page, next := elbPage(r, items)
	if err := r.checked(); err != nil {
		return nil, err
	}
	return rulesAnswer(page, next), nil
}

// arnOfDefault is that of the rule that a listener's default actions are.
func arnOfDefault(l *listener) string {
	prefix := l.ARN[:len(l.ARN)-len(below(l.ARN, "listener", "listener"))]
	return prefix + below(l.ARN, "listener", "listener-rule") + "/0000000000000000"
}

// rule is a rule for the data plane.
func (b *balance) rule(one *listenerRule) balancer.Rule {
	out := balancer.Rule{Action: b.action(one.Actions)}
	for _, cond := range one.Conditions {
		with := balancer.Condition{Field: cond.Field, Header: cond.Header, Values: cond.Values}
		for _, pair := range cond.Pairs {
			with.Pairs = append(with.Pairs, balancer.Pair(pair))
		}
		out.Conditions = append(out.Conditions, with)
	}
	return out
}
