// Package machine makes Linux machines out of what the kernel has: namespaces, an overlay of directories for a disk, a
// bridge for a network, and systemd as the first process. A machine starts in tens of milliseconds, is reached over SSH
// at an address of its own, and is saved by renaming a directory.
//
// A [Host] is one network of machines. It is opened on a state directory, and everything it makes on the computer (a
// bridge, one nftables table, one cgroup, the value of net.ipv4.ip_forward) is gone after [Host.Close]. When the process
// is killed the kernel kills its machines with it, and [Sweep], or the next [Open] of any Host, removes the rest.
//
// A machine's disk is a stack of read-only layers, directories, under one writable layer that it owns. The lowest layer
// is a base made by [BuildBase]; those above it were made by [Host.Capture] or [Host.CaptureLive].
//
// A machine is not a security boundary: its root is close to being the computer's root. What it can change by accident is
// kept from the computer: system-wide sysctls are copies, device nodes are its own, and the capabilities to load
// modules, set the clock, make device nodes or reach the hardware are dropped. There is one kernel for all, so a machine
// cannot load modules or swap.
//
// It needs Linux 5.11 or later, root, and cgroup2 mounted somewhere.
package machine
