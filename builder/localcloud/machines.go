package localcloud

import (
	"context"
	"net/netip"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// Machines are what instances run on. *machine.Host has it all but Start, which
// returns its own type, and says what each method does.
type Machines interface {
	Prefix() netip.Prefix
	Gateway() netip.Addr
	Start(context.Context, machine.Config) (Guest, error)
	Console(id string) ([]byte, error)
	Remove(id string) error
	Capture(id, dst string) error
	CaptureLive(ctx context.Context, id, dst string) error
	Close() error
}

// Guest is a machine that runs.
type Guest interface {
	Done() <-chan struct{}
	Exit() machine.Exit
	Stop(ctx context.Context, grace time.Duration) error
	Kill() error
}

// host makes a *machine.Host the cloud's machines.
type host struct{ *machine.Host }

func (h host) Start(ctx context.Context, config machine.Config) (Guest, error) {
	m, err := h.Host.Start(ctx, config)
	if err != nil {
		return nil, err // and not a Guest that holds a nil *Machine
	}
	return m, nil
}
