package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/imagobuild/imago/builder/localcloud"
)

// How long a server may take to end before it is told more firmly.
const (
	askedToStop  = 60 * time.Second
	killedToStop = 10 * time.Second
)

// stopCloud ends the local cloud and takes away what a server that was killed
// has left on this computer.
func (s *session) stopCloud(ctx context.Context) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	st, err := localcloud.ReadStatus(state)
	if err != nil {
		return err
	}
	if _, err := os.Stat(state); os.IsNotExist(err) {
		s.say("imago: the local cloud does not run (nothing in %s)", state)
		return nil
	}
	if err := canRunCloud(); err != nil {
		return err
	}
	if st.Running {
		if err := s.stopServer(ctx, state, st.PID); err != nil {
			return fmt.Errorf("stop the local cloud (process %d): %w", st.PID, err)
		}
	}
	if err := localcloud.Sweep(state); err != nil {
		return fmt.Errorf("take away what the local cloud left on this computer: %w", err)
	}
	if st.Running {
		s.say("imago: the local cloud is down; its images stay in %s", state)
	} else {
		s.say("imago: the local cloud does not run")
	}
	return nil
}

// stopServer asks the server to end; one that does not hear is killed.
func (s *session) stopServer(ctx context.Context, state string, pid int) error {
	server, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := askToStop(ctx, state); err != nil && ctx.Err() == nil {
		s.say("imago: warning: the local cloud does not answer (%v); ending its process", err)
		server.Signal(syscall.SIGTERM) // when it is gone already, so much the better
	}
	ended, err := awaitEnd(ctx, state, askedToStop)
	if ended || err != nil {
		return err
	}
	s.say("imago: warning: process %d of the local cloud does not end; killing it", pid)
	if err := server.Kill(); err != nil {
		return err
	}
	ended, err = awaitEnd(ctx, state, killedToStop)
	if !ended && err == nil {
		err = fmt.Errorf("it is still there after %s", took(killedToStop))
	}
	return err
}

// askToStop is the polite way.
func askToStop(ctx context.Context, state string) error {
	client, err := localcloud.NewClient(state)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, killedToStop)
	defer cancel()
	return client.Shutdown(ctx)
}

// awaitEnd waits until no server runs on a state directory. ended is false when the time was over first.
func awaitEnd(ctx context.Context, state string, most time.Duration) (ended bool, err error) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	over := time.NewTimer(most)
	defer over.Stop()
	for {
		st, err := localcloud.ReadStatus(state)
		if err != nil || !st.Running {
			return err == nil, err
		}
		select {
		case <-look.C:
		case <-over.C:
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}
