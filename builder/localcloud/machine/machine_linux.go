package machine

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is a machine that was started.
type Machine struct {
	id      string
	host    *Host
	cgroup  cgroup
	cmd     *exec.Cmd
	console *console
	disk    *os.File // the mounted directory of a bounded disk, or nil
	done    chan struct{}
	exit    Exit
}

// powerOff is systemd's signal for an orderly poweroff, SIGRTMIN+4.
const powerOff = syscall.Signal(34 + 4)

// Done is closed when the machine has ended and nothing of it is left but its disk.
func (m *Machine) Done() <-chan struct{} { return m.done }

// Exit says how the machine ended. It is valid after Done. A Reboot is the caller's to do, by Start.
func (m *Machine) Exit() Exit { return m.exit }

// Stop asks the machine to power off, kills it after grace, and returns when it has ended. When ctx ends first the machine
// is killed at once.
func (m *Machine) Stop(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	// The kernel keeps from an init the signals that it is not ready for yet: one may be lost soon after the start.
	again := time.NewTicker(300 * time.Millisecond)
	defer again.Stop()
	for {
		if err := m.signal(powerOff); err != nil {
			return err
		}
		select {
		case <-m.done:
			return nil
		case <-ctx.Done():
			return m.Kill()
		case <-again.C:
		}
	}
}

// Kill ends the machine as pulling its plug would, and returns when it has ended.
func (m *Machine) Kill() error {
	if err := m.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-m.done
	return nil
}

// signal sends a signal to init. That the machine has ended already is no error.
func (m *Machine) signal(s syscall.Signal) error {
	err := m.cmd.Process.Signal(s)
	if err != nil && !isEnded(err) {
		return err
	}
	return nil
}

// wait notes how the machine ended, and clears up after it.
func (m *Machine) wait() {
	_ = m.cmd.Wait() // it always ends by a signal
	m.exit = exitOf(m.cmd)
	if err := m.clear(); err != nil {
		m.host.log.Warn("a machine left something behind", "id", m.id, "error", err)
	}
	m.host.forget(m)
	close(m.done)
}

// clear removes the machine's traces outside of its namespaces.
func (m *Machine) clear() error {
	m.disk.Close() // of a nil file an error, and nothing else
	err := errors.Join(m.cgroup.remove(), detach(m.host.key, m.id))
	m.console.close()
	return err
}

// exitOf tells by the signal that ended init what the machine asked the kernel for: reboot(2) in a PID namespace ends its
// init by SIGINT for a poweroff or halt and by SIGHUP for a restart.
func exitOf(cmd *exec.Cmd) Exit {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && status.Signaled() && status.Signal() == unix.SIGINT:
		return Poweroff
	case ok && status.Signaled() && status.Signal() == unix.SIGHUP:
		return Reboot
	default:
		return Killed
	}
}
