package localcloud

import (
	"context"
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

const (
	// stopGrace is how long a machine may take to shut down before it is killed.
	stopGrace = 20 * time.Second
	// stopLimit is how long the machine host may take for it in all.
	stopLimit = time.Minute
)

// startMachine starts the machine of an instance and watches over it. The
// caller holds l.work.
func (c *Cloud) startMachine(ctx context.Context, id string, l *life) error {
	if c.bootsNever(id) {
		return nil
	}
	config, err := c.machineConfig(id)
	if err != nil {
		return err
	}
	g, err := c.machines.Start(ctx, config)
	if err != nil {
		return err
	}
	c.mu.Lock()
	l.guest = g
	c.mu.Unlock()
	c.log.Info("machine started", "instance", id, "address", config.Addr)
	c.background(func(ctx context.Context) {
		<-g.Done()
		c.ended(ctx, id, l, g)
	})
	c.background(func(ctx context.Context) { c.mayDie(ctx, id, l, g) })
	return nil
}

func (c *Cloud) machineConfig(id string) (machine.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.state.Instances[id]
	if inst == nil {
		return machine.Config{}, fmt.Errorf("instance %s is gone", id)
	}
	return c.configOf(inst)
}

// stopMachine returns when no machine of the instance runs. The caller holds
// l.work.
func (c *Cloud) stopMachine(ctx context.Context, id string, l *life) {
	c.mu.Lock()
	g, force := l.guest, l.force
	l.guest, l.ending, l.force = nil, g, false
	c.mu.Unlock()
	if g == nil {
		return
	}
	defer func() {
		c.mu.Lock()
		l.ending = nil
		c.mu.Unlock()
	}()
	// A cloud that closes stops its machines; it does not leave them.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	var err error
	if force {
		err = g.Kill()
	} else {
		err = g.Stop(ctx, stopGrace)
	}
	if err != nil {
		c.log.Warn("machine did not stop by itself", "instance", id, "why", err)
		g.Kill() //nolint:errcheck // what counts is Done
	}
	select {
	case <-g.Done():
	case <-ctx.Done():
		c.log.Error("machine does not end", "instance", id)
	}
}

// ended is what becomes of an instance whose machine went down by itself.
func (c *Cloud) ended(ctx context.Context, id string, l *life, g Guest) {
	l.work.Lock()
	defer l.work.Unlock()
	c.noteEnd(id, l, g)
	c.follow(ctx, id, l)
}

// noteEnd makes a machine's own end the state of its instance.
func (c *Cloud) noteEnd(id string, l *life, g Guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.state.Instances[id]
	if l.guest != g || inst == nil {
		return // somebody here stopped it, and knows
	}
	l.guest = nil
	if inst.State != running {
		return // on its way down already
	}
	exit := g.Exit()
	c.log.Info("machine ended", "instance", id, "how", exit)
	if exit == machine.Reboot {
		l.reboot = true
		return
	}
	inst.State = stopping
	if inst.OnShutdown == "terminate" {
		inst.State = shuttingDown
	}
	inst.ReasonCode = "Client.InstanceInitiatedShutdown"
	inst.Reason = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
}
