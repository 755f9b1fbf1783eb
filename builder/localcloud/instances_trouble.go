package localcloud

import (
	"context"
	"time"
)

// trouble is what fault rules have for a machine.
type trouble struct {
	NeverBoots bool          `json:",omitempty"`
	Dies       bool          `json:",omitempty"`
	DiesAfter  time.Duration `json:",omitempty"` // it runs
	Hangs      bool          `json:",omitempty"` // in its next stop
	HangsFor   time.Duration `json:",omitempty"` // 0 until it is forced
	DiskBytes  int64         `json:",omitempty"`
}

func (t *trouble) add(rule FaultRule) {
	switch rule.Machine {
	case neverBoots:
		t.NeverBoots = true
	case dies:
		t.Dies, t.DiesAfter = true, time.Duration(rule.After)
	case hangsInStop:
		t.Hangs, t.HangsFor = true, time.Duration(rule.For)
	case diskFull:
		t.DiskBytes = rule.Bytes
	}
}

// bootsNever says whether the instance runs, but no machine does.
func (c *Cloud) bootsNever(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.state.Instances[id]
	return inst != nil && inst.Trouble.NeverBoots
}

// mayDie ends a machine at its time, when a rule has one for it.
func (c *Cloud) mayDie(ctx context.Context, id string, l *life, g Guest) {
	c.mu.Lock()
	inst := c.state.Instances[id]
	dies, after := inst != nil && inst.Trouble.Dies, time.Duration(0)
	if dies {
		after = inst.Trouble.DiesAfter
	}
	c.mu.Unlock()
	if !dies || !lastsFor(ctx, g, after) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.guest != g || inst.State != running && inst.State != pending {
		return // on its way down already
	}
	c.transition(inst, shuttingDown, "Server.InternalError", "Server.InternalError: An internal error ended the instance")
	c.saveLogged()
}

// lastsFor waits, and is false when the machine ends before.
func lastsFor(ctx context.Context, g Guest, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.Done():
	case <-ctx.Done():
	}
	return false
}

// hangOf is whether this stop of an instance hangs, and how long. It is asked
// once for each.
func (c *Cloud) hangOf(id string, l *life) (hangs bool, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.state.Instances[id]
	if inst == nil || !inst.Trouble.Hangs || l.force {
		return false, 0
	}
	inst.Trouble.Hangs = false
	return true, inst.Trouble.HangsFor
}

// hang keeps a stopping instance, whose machine is down, from being stopped:
// for a time, or without end. A forced stop, a termination and the end of the
// cloud end it.
func (c *Cloud) hang(ctx context.Context, l *life, d time.Duration) {
	if !c.setHanging(l, true) {
		return
	}
	defer c.setHanging(l, false)
	var end <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		end = timer.C
	}
	select {
	case <-end:
	case <-l.changed:
	case <-ctx.Done():
	}
}

// setHanging notes that a stop hangs or no longer does, and is false when it
// was forced meanwhile.
func (c *Cloud) setHanging(l *life, hanging bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	forced := l.force
	l.hanging, l.force = hanging && !forced, false
	return !forced
}
