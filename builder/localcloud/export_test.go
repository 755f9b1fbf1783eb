package localcloud

import (
	"testing"
	"time"
)

// OpenTest is a cloud that serves on fake machines, with one image.
func OpenTest(t *testing.T, rules ...FaultRule) (cloud *Cloud, image string) {
	c := openFaulty(t, rules...)
	return c.Cloud, c.base()
}

// Clock makes a cloud's time one that a test moves forward.
func Clock(c *Cloud) (forward func(time.Duration)) { return (&testCloud{Cloud: c}).clock() }

// StateDir is where a cloud keeps its state.
func StateDir(c *Cloud) string { return c.options.StateDir }
