//go:build !unix

package main

import (
	"context"
	"time"
)

// lockDir does nothing here: this system has no advisory locks.
func lockDir(context.Context, string) (unlock func(), err error) { return func() {}, nil }

// lookEvery is how often something of another process is looked at.
const lookEvery = 50 * time.Millisecond
