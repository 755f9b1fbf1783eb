package localcloud

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// life is what the cloud knows of an instance only while it runs: its machine,
// and who works on it.
type life struct {
	// work is held by whoever starts, stops, captures or removes the machine.
	work sync.Mutex
	// changed wakes a delay when the instance is to go somewhere else.
	changed chan struct{}

	// The fields below are guarded by the cloud's mu.

	guest   Guest // nil when no machine runs, or it is being stopped
	ending  Guest // the one that is being stopped
	reboot  bool  // asked for, not done yet
	force   bool  // stop at once
	hanging bool  // in a stop, as a fault rule says
}

// lifeOf is the life of an instance. The caller holds c.mu.
func (c *Cloud) lifeOf(id string) *life {
	l := c.lives[id]
	if l == nil {
		l = &life{changed: make(chan struct{}, 1)}
		c.lives[id] = l
	}
	return l
}

// transition sends an instance towards another state; a background job makes
// its machine follow. The caller holds c.mu.
func (c *Cloud) transition(inst *instance, state, code, reason string) {
	inst.State, inst.ReasonCode, inst.Reason = state, code, reason
	c.nudge(inst.ID)
}

// nudge has a background job bring the machine where the state says. The
// caller holds c.mu.
func (c *Cloud) nudge(id string) {
	l := c.lifeOf(id)
	l.wake()
	c.background(func(ctx context.Context) { c.settle(ctx, id, l) })
}

// wake ends a delay.
func (l *life) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// hurry makes a machine end at once, also one that is shutting down already.
// The caller holds c.mu.
func (c *Cloud) hurry(id string) {
	l := c.lifeOf(id)
	l.force = true
	if l.hanging {
		l.wake()
	}
	if g := l.ending; g != nil {
		c.background(func(context.Context) {
			if err := g.Kill(); err != nil {
				c.log.Warn("machine cannot be killed", "instance", id, "why", err)
			}
		})
	}
}

// settle works on one instance until its machine is where its state says.
func (c *Cloud) settle(ctx context.Context, id string, l *life) {
	l.work.Lock()
	defer l.work.Unlock()
	c.follow(ctx, id, l)
}

// follow takes step after step while there is one. The caller holds l.work.
func (c *Cloud) follow(ctx context.Context, id string, l *life) {
	for ctx.Err() == nil {
		step := c.nextStep(id, l)
		if step == nil {
			return
		}
		step(ctx, id, l)
	}
}

// nextStep is what an instance in passing has to do next, nil when it rests.
func (c *Cloud) nextStep(id string, l *life) func(context.Context, string, *life) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-l.changed: // what woke us is what we look at now
	default:
	}
	inst := c.state.Instances[id]
	if inst == nil {
		return nil
	}
	switch {
	case inst.State == pending:
		return c.boot
	case inst.State == stopping:
		return c.halt
	case inst.State == shuttingDown:
		c.leaveGroups(id)
		return c.remove
	case inst.State == running && l.reboot:
		return c.restart
	}
	return nil
}

// boot makes a pending instance run.
func (c *Cloud) boot(ctx context.Context, id string, l *life) {
	if !c.pause(ctx, l, running, time.Now()) {
		return // nextStep looks why
	}
	if c.options.Delays["ssh"] > 0 { // running, but nobody answers yet
		c.arrive(id, pending, running)
		if !c.pause(ctx, l, "ssh", time.Now()) {
			return
		}
	}
	if err := c.startMachine(ctx, id, l); err != nil {
		c.bootFault(id, err)
		return
	}
	c.arrive(id, pending, running)
}

// bootFault is the end of an instance whose machine did not start: a new one
// is terminated, one that was stopped is stopped again.
func (c *Cloud) bootFault(id string, err error) {
	c.log.Error("machine did not start", "instance", id, "why", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.state.Instances[id]
	if inst == nil || inst.State != pending && inst.State != running {
		return
	}
	next := shuttingDown
	if inst.Started {
		next = stopping
	}
	inst.State = next
	inst.ReasonCode = "Server.InternalError"
	inst.Reason = fmt.Sprintf("Server.InternalError: Internal error on launch: %v", err)
}

// arrive moves an instance on from a state, unless it was sent elsewhere.
func (c *Cloud) arrive(id, from, to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.state.Instances[id]
	if inst == nil || inst.State != from {
		return
	}
	inst.State = to
	if to == running {
		inst.Started = true
		inst.ReasonCode, inst.Reason = "", ""
	}
	c.saveLogged()
}

// halt stops the machine of a stopping instance.
func (c *Cloud) halt(ctx context.Context, id string, l *life) {
	start := time.Now()
	hangs, d := c.hangOf(id, l)
	c.stopMachine(ctx, id, l)
	if hangs {
		c.hang(ctx, l, d)
	}
	c.pause(ctx, l, stopped, start)
	c.arrive(id, stopping, stopped)
}

// restart is a reboot that was asked for from outside.
func (c *Cloud) restart(ctx context.Context, id string, l *life) {
	c.mu.Lock()
	l.reboot = false
	c.mu.Unlock()
	c.stopMachine(ctx, id, l)
	if err := c.startMachine(ctx, id, l); err != nil {
		c.bootFault(id, err)
	}
}

// remove terminates an instance for good. AWS has the system shut down first;
// here only one of an Auto Scaling group does, which users may be connected to.
// Builders have nothing to finish, and should not wait for it.
func (c *Cloud) remove(ctx context.Context, id string, l *life) {
	start := time.Now()
	c.mu.Lock()
	l.force = c.state.Instances[id].Tags["aws:autoscaling:groupName"] == ""
	c.mu.Unlock()
	c.stopMachine(ctx, id, l)
	c.pause(ctx, l, terminated, start)
	if err := c.machines.Remove(id); err != nil {
		c.log.Error("machine's files stay behind", "instance", id, "why", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bury(c.state.Instances[id])
	delete(c.lives, id)
	c.saveLogged()
}

// bury makes an instance terminated: it keeps its name, and nothing else. The
// caller holds c.mu.
func (c *Cloud) bury(inst *instance) {
	inst.State = terminated
	inst.TerminatedAt = c.now()
	c.instanceTerminated(inst)
	inst.PrivateIP, inst.MAC = "", ""
	inst.Layers, inst.UserData = nil, nil
}

// pause waits until a state has taken as long since its beginning as
// Options.Delays says, and is false when the wait was cut short because the
// instance is to go somewhere else.
func (c *Cloud) pause(ctx context.Context, l *life, state string, since time.Time) bool {
	d := c.options.Delays[state] - time.Since(since)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.changed:
		return false
	case <-ctx.Done():
		return false
	}
}

// terminateAll begins to terminate every instance, and takes the groups away
// that would replace them; stopAll waits for that.
func (c *Cloud) terminateAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	for _, g := range c.state.ScalingGroups {
		c.forgetScalingGroup(g)
	}
	for _, inst := range c.state.Instances {
		if inst.State == terminated || inst.State == shuttingDown {
			continue
		}
		c.hurry(inst.ID)
		inst.State, inst.ReasonCode = shuttingDown, "Server.ScheduledStop"
		inst.Reason = "Server.ScheduledStop: The local cloud was taken down"
	}
}

// stopAll brings every instance to rest and returns when they are there.
func (c *Cloud) stopAll() {
	c.mu.Lock()
	c.ending = true
	var jobs sync.WaitGroup
	for id, inst := range c.state.Instances {
		if slices.Contains([]string{pending, running}, inst.State) {
			inst.State, inst.ReasonCode = stopping, "Server.ScheduledStop"
			inst.Reason = "Server.ScheduledStop: The local cloud was stopped"
		}
		if inst.State != stopping && inst.State != shuttingDown {
			continue
		}
		l := c.lifeOf(id)
		l.wake()
		jobs.Go(func() { c.settle(context.Background(), id, l) })
	}
	c.mu.Unlock()
	jobs.Wait()
}

// layToRest is for the instances of a cloud that was killed: no machine of
// theirs runs any more.
func (c *Cloud) layToRest() {
	for id, inst := range c.state.Instances {
		switch inst.State {
		case pending, running, stopping:
			inst.State, inst.ReasonCode = stopped, "Server.ScheduledStop"
			inst.Reason = "Server.ScheduledStop: The local cloud was stopped"
		case shuttingDown:
			if err := c.machines.Remove(id); err != nil {
				c.log.Error("machine's files stay behind", "instance", id, "why", err)
			}
			c.bury(inst)
		}
	}
}

// saveLogged saves where nobody waits for an answer.
func (c *Cloud) saveLogged() {
	if err := c.save(); err != nil {
		c.log.Error("the state is not saved", "why", err)
	}
}
