package localcloud

import (
	"slices"
	"time"
)

// The transitions that a hook can hold up.
const (
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
)

// The results of a lifecycle action.
const (
	hookContinue = "CONTINUE"
	hookAbandon  = "ABANDON"
)

const defaultHeartbeat = 3600 // seconds

// lifecycleHook holds up members of a group on their way in, or out. Nobody is
// notified: the local cloud has no queues.
type lifecycleHook struct {
	Name       string
	Transition string
	Heartbeat  int // seconds
	Result     string
	Metadata   string
}

// hold is a hook that a member waits for.
type hold struct {
	Hook   string
	Token  string
	Until  time.Time
	Result string // "" until there is one
}

func hookActions() map[string]handler {
	return map[string]handler{
		"CompleteLifecycleAction":        completeLifecycleAction,
		"DeleteLifecycleHook":            deleteLifecycleHook,
		"DescribeLifecycleHooks":         describeLifecycleHooks,
		"PutLifecycleHook":               putLifecycleHook,
		"RecordLifecycleActionHeartbeat": recordHeartbeat,
	}
}

func readHook(r *request) *lifecycleHook {
	h := &lifecycleHook{
		Name:       r.need("LifecycleHookName"),
		Transition: r.oneOf("LifecycleTransition", "", launching, terminating),
		Heartbeat:  defaultHeartbeat,
		Result:     r.oneOf("DefaultResult", hookAbandon, hookContinue, hookAbandon),
		Metadata:   r.text("NotificationMetadata"),
	}
	if h.Transition == "" {
		r.problem(missing("LifecycleTransition"))
	}
	if n := r.number("HeartbeatTimeout"); n != nil {
		if h.Heartbeat = *n; *n < 1 || *n > 172800 {
			r.problem(invalid("HeartbeatTimeout must be between 1 and 172800 seconds"))
		}
	}
	if r.text("NotificationTargetARN")+r.text("RoleARN") != "" {
		r.problem(invalid("The local cloud cannot notify anybody of a lifecycle action; poll for the state %s or %s", memberPendingWait, memberTerminatingWait))
	}
	return h
}

func putLifecycleHook(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	h := readHook(r)
	if err := firstOf(r.checked(), err, g.goes()); err != nil {
		return nil, err
	}
	g.Hooks = append(slices.DeleteFunc(slices.Clone(g.Hooks), func(old *lifecycleHook) bool { return old.Name == h.Name }), h)
	return done{}, nil
}

// deleteLifecycleHook lets go of the members that the hook holds.
func deleteLifecycleHook(c *Cloud, r *request) (any, error) {
	g, h, err := c.hookAsked(r)
	if err != nil {
		return nil, err
	}
	g.Hooks = slices.DeleteFunc(slices.Clone(g.Hooks), func(old *lifecycleHook) bool { return old == h })
	for _, m := range g.Members {
		for i := range m.Holds {
			if m.Holds[i].Hook == h.Name {
				m.Holds[i].Result = h.Result
			}
		}
	}
	return done{}, nil
}

func (c *Cloud) hookAsked(r *request) (*scalingGroup, *lifecycleHook, error) {
	g, err := c.findScalingGroup(r)
	name := r.need("LifecycleHookName")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, nil, err
	}
	for _, h := range g.Hooks {
		if h.Name == name {
			return g, h, nil
		}
	}
	return nil, nil, invalid("No Lifecycle Hook found with name %s", name)
}

// holdAsked is the hold that a request is about, by its token or its instance.
func (c *Cloud) holdAsked(r *request) (*hold, *lifecycleHook, error) {
	id, token := r.text("InstanceId"), r.text("LifecycleActionToken")
	g, h, err := c.hookAsked(r)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range g.Members {
		for i := range m.Holds {
			one := &m.Holds[i]
			if one.Hook == h.Name && one.Result == "" && (token != "" && one.Token == token || token == "" && m.ID == id) {
				return one, h, nil
			}
		}
	}
	return nil, nil, invalid("No active Lifecycle Action found with instance ID %s", id)
}

func completeLifecycleAction(c *Cloud, r *request) (any, error) {
	result := r.oneOf("LifecycleActionResult", "", hookContinue, hookAbandon)
	if result == "" {
		r.problem(missing("LifecycleActionResult"))
	}
	one, _, err := c.holdAsked(r)
	if err != nil {
		return nil, err
	}
	one.Result = result
	return done{}, nil
}

func recordHeartbeat(c *Cloud, r *request) (any, error) {
	one, h, err := c.holdAsked(r)
	if err != nil {
		return nil, err
	}
	one.Until = c.now().Add(seconds(h.Heartbeat))
	return done{}, nil
}

type hookItem struct {
	Name       string `xml:"LifecycleHookName"`
	Group      string `xml:"AutoScalingGroupName"`
	Transition string `xml:"LifecycleTransition"`
	Heartbeat  int    `xml:"HeartbeatTimeout"`
	Global     int    `xml:"GlobalTimeout"`
	Result     string `xml:"DefaultResult"`
	Metadata   string `xml:"NotificationMetadata,omitempty"`
}

func describeLifecycleHooks(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	names := r.members("LifecycleHookNames")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	var answer struct {
		Hooks []hookItem `xml:"LifecycleHooks>member"`
	}
	for _, h := range g.Hooks {
		if len(names) == 0 || slices.Contains(names, h.Name) {
			answer.Hooks = append(answer.Hooks, hookItem{h.Name, g.Name, h.Transition, h.Heartbeat, min(h.Heartbeat*100, 172800), h.Result, h.Metadata})
		}
	}
	return answer, nil
}

// hold says whether a hook of the group holds a member up, and for how long.
func (s *scaler) hold(m *groupMember, transition string) bool {
	m.Holds = nil
	for _, h := range s.g.Hooks {
		if h.Transition == transition {
			m.Holds = append(m.Holds, hold{Hook: h.Name, Token: newRequestID(), Until: s.now.Add(seconds(h.Heartbeat))})
		}
	}
	s.changed = s.changed || len(m.Holds) > 0
	return len(m.Holds) > 0
}

// released says whether all holds of a member are over, and whether one of them
// said no. What nobody answers in time ends with the hook's own result.
func (s *scaler) released(m *groupMember) (over, abandoned bool) {
	over = true
	for i := range m.Holds {
		one := &m.Holds[i]
		if one.Result == "" && !s.now.Before(one.Until) {
			one.Result = hookAbandon
			for _, h := range s.g.Hooks {
				if h.Name == one.Hook {
					one.Result = h.Result
				}
			}
		}
		over = over && one.Result != ""
		abandoned = abandoned || one.Result == hookAbandon
	}
	return over || abandoned, abandoned
}

func (s *scaler) waitToEnter(m *groupMember) {
	if s.isDown(m) {
		s.lose(m)
		return
	}
	over, abandoned := s.released(m)
	switch {
	case abandoned:
		a := s.c.activityOf(m.Activity)
		a.Message = "Instance failed to complete user's Lifecycle Action: Lifecycle Action was abandoned: Lifecycle Action Completed with ABANDON Result"
		a.end(activityCancelled, s.now)
		s.retire(m, "At "+isoTime(s.now)+" an instance was taken out of service in response to a launch failure.")
		s.delayLaunch()
	case over:
		s.enter(m)
	}
}

func (s *scaler) waitToLeave(m *groupMember) {
	if over, _ := s.released(m); over || s.isDown(m) {
		m.State, m.Holds, s.changed = memberTerminating, nil, true
		s.c.activityOf(m.Activity).Status = activityInProgress
	}
}
