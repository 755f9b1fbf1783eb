package localcloud

import (
	"context"
	"errors"
	"os"
	"slices"
)

// capture moves what an instance's machine wrote into a new layer, and returns
// the layers of an image made of it. A running machine is stopped for it and
// started again, unless noReboot: then its disk is copied while it holds still.
// The caller does not hold c.mu.
func (c *Cloud) capture(ctx context.Context, inst *instance, dstLayer string, noReboot bool) ([]string, error) {
	c.mu.Lock()
	l := c.lifeOf(inst.ID)
	c.mu.Unlock()
	l.work.Lock()
	defer l.work.Unlock()

	state, runs := c.captureState(inst, l)
	if state != running && state != stopped {
		return nil, faultf("IncorrectInstanceState", "The instance '%s' is %s; an image is made of one that is running or stopped.",
			inst.ID, state)
	}
	if err := os.MkdirAll(c.layerPath(""), 0o700); err != nil {
		return nil, err
	}
	if runs && noReboot {
		return c.captureLive(ctx, inst, dstLayer)
	}
	c.stopMachine(ctx, inst.ID, l)
	layers, err := c.captureStopped(inst, dstLayer)
	if runs {
		err = errors.Join(err, c.startAgain(ctx, inst, l))
	}
	return layers, err
}

func (c *Cloud) captureLive(ctx context.Context, inst *instance, dstLayer string) ([]string, error) {
	if err := c.machines.CaptureLive(ctx, inst.ID, c.layerPath(dstLayer)); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat([]string{dstLayer}, inst.Layers), nil
}

// captureStopped moves the disk away; the instance goes on upon what was it.
func (c *Cloud) captureStopped(inst *instance, dstLayer string) ([]string, error) {
	if err := c.machines.Capture(inst.ID, c.layerPath(dstLayer)); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	inst.Layers = slices.Concat([]string{dstLayer}, inst.Layers)
	return slices.Clone(inst.Layers), c.save()
}

// startAgain starts a machine that was stopped for a capture, unless its
// instance was sent elsewhere meanwhile.
func (c *Cloud) startAgain(ctx context.Context, inst *instance, l *life) error {
	if state, _ := c.captureState(inst, l); state != running {
		return nil
	}
	err := c.startMachine(ctx, inst.ID, l)
	if err != nil {
		c.bootFault(inst.ID, err)
		c.mu.Lock()
		c.nudge(inst.ID)
		c.mu.Unlock()
	}
	return err
}

func (c *Cloud) captureState(inst *instance, l *life) (state string, runs bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return inst.State, l.guest != nil
}
