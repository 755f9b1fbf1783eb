package localcloud

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// maxLayers is how deep an image may be stacked before it is flattened: each
// layer costs a lookup in every file the machine opens, and overlayfs has an
// end to them.
const maxLayers = 10

// dropLayers removes the directories of those layers that nothing refers to
// any more. Bases stay: they are in the cache, and can serve another cloud. The
// caller holds c.mu.
func (c *Cloud) dropLayers(names []string) {
	used := c.usedLayers()
	for _, name := range names {
		if used[name] || strings.HasPrefix(name, basePrefix) {
			continue
		}
		if err := os.RemoveAll(c.layerPath(name)); err != nil {
			c.log.Warn("a layer that nobody uses could not be removed", "layer", name, "why", err)
		}
	}
}

// usedLayers is every layer that an image, a snapshot, a volume or a machine
// needs.
func (c *Cloud) usedLayers() map[string]bool {
	var all []string
	for _, img := range c.state.Images {
		all = append(all, img.Layers...)
	}
	for _, snap := range c.state.Snapshots {
		all = append(all, snap.Layers...)
	}
	for _, v := range c.state.Volumes {
		all = append(all, v.Layers...)
	}
	for _, inst := range c.state.Instances {
		if inst.State != terminated {
			all = append(all, inst.Layers...)
		}
	}
	used := map[string]bool{}
	for _, name := range all {
		used[name] = true
	}
	return used
}

// change does something to the state from a background job, and saves it.
func (c *Cloud) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
	if err := c.save(); err != nil {
		c.log.Error("the state could not be saved", "why", err)
	}
}

// finish makes the last change of a resource that is in transition, once the
// state it leads to has had its delay. The change is told of the error that a
// fault rule has for the resource.
func (c *Cloud) finish(id, leadsTo string, do func(error)) {
	start := time.Now()
	c.background(func(ctx context.Context) {
		if err := c.ripen(ctx, id, leadsTo, start); ctx.Err() == nil {
			c.change(func() { do(err) })
		}
	})
}

// abandonPending marks as failed what a server that stopped had begun: nobody
// will finish it. It runs once, when the state is loaded.
func (c *Cloud) abandonPending() {
	const why = "the local cloud was stopped before this was finished; make it again"
	for _, img := range c.state.Images {
		if img.State == pending {
			img.fail(why)
		}
	}
	for _, snap := range c.state.Snapshots {
		if snap.State == pending {
			snap.settle(errors.New(why))
		}
	}
}

// sweepLayers removes every layer directory that nothing refers to: what a
// server that was killed had begun. It runs once, when the state is loaded.
func (c *Cloud) sweepLayers() error {
	entries, err := os.ReadDir(c.layerPath(""))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for layers that nobody uses: %w", err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	c.dropLayers(names)
	return nil
}

// firstOf is the first error there is.
func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
