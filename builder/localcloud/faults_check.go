package localcloud

import (
	"fmt"
	"slices"
	"strings"
)

// smallestDisk is what a machine needs to come up on.
const smallestDisk = 32 << 20

// check says what is wrong with a rule, each with its field in front.
func (r FaultRule) check() []string {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	r.checkAction(add)
	r.checkWhen(add)
	r.checkValues(add)
	r.checkEffects(add)
	r.checkDetails(add)
	return problems
}

type complaint func(format string, args ...any)

func (r FaultRule) checkAction(add complaint) {
	switch {
	case r.Action == "":
		add(".action: required")
	case !r.isFor(actionNames()):
		add(".action: the local cloud has no action %q", r.Action)
	}
	if (r.InstanceType != "" || r.Subnet != "" || r.Zone != "") && !r.mayBeFor(placedActions()) {
		add(": instance_type, subnet and zone are for %s", strings.Join(placedActions(), ", "))
	}
}

// isFor says whether the rule is for one of the actions.
func (r FaultRule) isFor(actions []string) bool {
	return slices.ContainsFunc(actions, func(a string) bool { return matches(r.Action, a) })
}

// mayBeFor is isFor, and true when the action itself is wrong: one complaint is
// enough.
func (r FaultRule) mayBeFor(actions []string) bool {
	return !r.isFor(actionNames()) || r.isFor(actions)
}

func (r FaultRule) checkWhen(add complaint) {
	if len(r.Nth) > 0 && r.Share != 0 {
		add(": nth and share exclude each other")
	}
	for _, n := range r.Nth {
		if n < 1 {
			add(".nth: %d is not a whole number from 1", n)
		}
	}
	if r.Share < 0 || r.Share > 1 {
		add(".share: %v is not a number above 0, at most 1", r.Share)
	}
	if r.Times < 0 {
		add(".times: %d is not a whole number from 1", r.Times)
	}
}

func (r FaultRule) checkValues(add complaint) {
	for _, span := range []struct {
		name  string
		value Span
	}{{"delay", r.Delay}, {"consistency", r.Consistency}, {"after", r.After}, {"for", r.For}} {
		if span.value < 0 {
			add(".%s: a time cannot be negative", span.name)
		}
	}
	if strings.ContainsFunc(r.Error, func(ch rune) bool {
		return (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') && ch != '.'
	}) {
		add(".error: %q is not an error code", r.Error)
	}
	oneOf := func(name, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			add(".%s: %q is none of %s", name, value, strings.Join(allowed, ", "))
		}
	}
	oneOf("reset", r.Reset, resetBefore, resetAfter)
	oneOf("machine", r.Machine, neverBoots, dies, hangsInStop, diskFull)
	oneOf("result", r.Result, failed)
}

// checkEffects sees to it that the rule does something, and that it can.
func (r FaultRule) checkEffects(add complaint) {
	inside := r.Consistency != 0 || r.Machine != "" || r.Result != ""
	switch {
	case r.Delay == 0 && r.Error == "" && r.Reset == "" && !inside:
		add(": does nothing; say delay, error, reset, consistency, machine or result")
	case r.Error != "" && r.Reset != "":
		add(": error and reset exclude each other")
	case r.answers() && inside:
		add(": what ends a call before its effect excludes consistency, machine and result")
	}
	if r.Consistency != 0 && !r.mayBeFor(makingActions()) {
		add(".consistency: %s makes nothing", r.Action)
	}
	if actions := machineActions(r.Machine); actions != nil && !r.mayBeFor(actions) {
		add(".machine: %s is for %s", r.Machine, strings.Join(actions, ", "))
	}
	if r.Result != "" && !r.mayBeFor(resultActions()) {
		add(".result: is for %s", strings.Join(resultActions(), ", "))
	}
}

// checkDetails finds fields that are missing beside their effect, or there
// without it.
func (r FaultRule) checkDetails(add complaint) {
	if r.Message != "" && r.Error == "" && r.Result == "" {
		add(".message: needs error or result")
	}
	if r.After != 0 && r.Machine != dies && r.Result == "" {
		add(".after: needs machine dies, or result")
	}
	if r.For != 0 && r.Machine != hangsInStop {
		add(".for: needs machine hangs-in-stop")
	}
	switch {
	case r.Bytes != 0 && r.Machine != diskFull:
		add(".bytes: needs machine disk-full")
	case r.Machine == diskFull && r.Bytes < smallestDisk:
		add(".bytes: machine disk-full needs at least %d, with which a machine comes up", smallestDisk)
	}
}

// actionNames are all actions that a rule may be for.
func actionNames() []string {
	all := append(sortedKeys(ec2Actions()), getParameter)
	for _, s := range queryServices() {
		all = append(all, sortedKeys(s.actions())...)
	}
	return all
}

// placedActions name instances, or launch them.
func placedActions() []string {
	return []string{"RunInstances", "StartInstances", "StopInstances", "RebootInstances", "TerminateInstances", "CreateImage"}
}

// makingActions make what other calls could know of.
func makingActions() []string {
	return []string{
		"RunInstances", "CreateImage", "CopyImage", "RegisterImage", "CreateSnapshot", "CopySnapshot", "CreateVolume",
		"CreateKeyPair", "ImportKeyPair", "CreateSecurityGroup", "CreateTags", "DeleteTags",
		"CreateLaunchTemplate", "CreateLaunchTemplateVersion",
		"CreateVpc", "CreateSubnet", "CreateInternetGateway", "CreateRouteTable", "CreateAutoScalingGroup",
	}
}

// resultActions make what can end failed.
func resultActions() []string {
	return []string{"CreateImage", "CopyImage", "CreateSnapshot", "CopySnapshot"}
}

// machineActions start or stop the machines that can have the fault.
func machineActions(machine string) []string {
	switch machine {
	case neverBoots, dies:
		return []string{"RunInstances", "StartInstances"}
	case hangsInStop:
		return []string{"RunInstances", "StopInstances"}
	case diskFull:
		return []string{"RunInstances"}
	default:
		return nil
	}
}
