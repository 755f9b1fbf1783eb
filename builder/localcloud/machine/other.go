//go:build !linux

package machine

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

var errNotLinux = errors.New("local machines need Linux: run imago on Linux, in a virtual machine for example, or bake on AWS")

// Host is a network of machines. It exists on Linux only.
type Host struct{}

// Machine is a running machine. It exists on Linux only.
type Machine struct{}

// Open answers that machines need Linux.
func Open(context.Context, HostConfig) (*Host, error) { return nil, errNotLinux }

// Sweep answers that machines need Linux.
func Sweep(string) error { return errNotLinux }

// BuildBase answers that machines need Linux.
func BuildBase(context.Context, BaseConfig) (string, error) { return "", errNotLinux }

// Flatten answers that machines need Linux.
func Flatten(context.Context, []string, string) error { return errNotLinux }

// Prefix is empty here.
func (h *Host) Prefix() netip.Prefix { return netip.Prefix{} }

// Gateway is empty here.
func (h *Host) Gateway() netip.Addr { return netip.Addr{} }

// CheckEgress answers that machines need Linux.
func (h *Host) CheckEgress(context.Context) error { return errNotLinux }

// Close does nothing here.
func (h *Host) Close() error { return nil }

// Start answers that machines need Linux.
func (h *Host) Start(context.Context, Config) (*Machine, error) { return nil, errNotLinux }

// Console answers that machines need Linux.
func (h *Host) Console(string) ([]byte, error) { return nil, errNotLinux }

// Remove answers that machines need Linux.
func (h *Host) Remove(string) error { return errNotLinux }

// Capture answers that machines need Linux.
func (h *Host) Capture(string, string) error { return errNotLinux }

// CaptureLive answers that machines need Linux.
func (h *Host) CaptureLive(context.Context, string, string) error { return errNotLinux }

// Done is nil here.
func (m *Machine) Done() <-chan struct{} { return nil }

// Exit is Killed here.
func (m *Machine) Exit() Exit { return Killed }

// Stop answers that machines need Linux.
func (m *Machine) Stop(context.Context, time.Duration) error { return errNotLinux }

// Kill answers that machines need Linux.
func (m *Machine) Kill() error { return errNotLinux }
