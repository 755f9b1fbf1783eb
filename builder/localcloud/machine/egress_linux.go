package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// probeID is the name, and probeAddr the address, of the process that CheckEgress puts on the network.
const probeID = "egress-check"

func probeAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	b[3] = 254
	return netip.AddrFrom4(b)
}

// CheckEgress finds out whether a machine would reach the internet: it asks this computer's DNS servers a question from the
// machines' network. It takes milliseconds when all is well, and 3 s for each server when not. One check runs at a time.
func (h *Host) CheckEgress(ctx context.Context) (err error) {
	text, err := resolver()
	if err != nil {
		return fmt.Errorf("machines cannot reach the internet: %w", err)
	}
	m, err := h.reserve(probeID)
	if err != nil {
		return err
	}
	defer h.forget(m)
	if m.cgroup, err = makeCgroup(h.key, probeID); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.clear()) }()
	j := job{Probe: true, Addr: probeAddr(h.prefix), Gateway: h.Gateway(), Bits: h.prefix.Bits(), Resolver: text}
	if err := m.probe(ctx, j); err != nil {
		return fmt.Errorf("machines cannot reach the internet: %w; is the computer online, and does a firewall drop what it forwards? Let the bridge through, for example: iptables -I FORWARD -i %s -j ACCEPT; iptables -I FORWARD -o %[2]s -j ACCEPT", err, bridgeName(h.key))
	}
	return nil
}

// probe clones a process that does nothing but ask.
func (m *Machine) probe(ctx context.Context, j job) error {
	stage, err := m.host.clone(m.cgroup)
	if err != nil {
		return err
	}
	defer stage.conn.Close()
	defer func() {
		_ = stage.cmd.Process.Kill()
		_ = stage.cmd.Wait()
	}()
	if err := attach(m.host.key, m.id, stage.cmd.Process.Pid, j.Addr); err != nil {
		return err
	}
	_, err = converse(ctx, stage.conn, j)
	return err
}

// probe runs in the clone. It returns on an error only.
func probe(j job, conn *os.File) error {
	if err := setUpInside(j.Addr, j.Gateway, j.Bits); err != nil {
		return err
	}
	if err := askAny(nameservers(j.Resolver)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{saysReady}); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

// askAny asks the servers one after the other until one answers.
func askAny(servers []string) error {
	var errs []error
	for _, server := range servers {
		err := ask(server)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("no answer from the DNS server %s: %w", server, err))
	}
	return errors.Join(errs...)
}

// ask sends a DNS query for the name servers of the root, twice at most. What the answer says does not matter.
func ask(server string) error {
	conn, err := net.Dial("udp", net.JoinHostPort(server, "53"))
	if err != nil {
		return err
	}
	defer conn.Close()
	// Header: ID 1, recursion desired, one question. Question: the root, type NS, class IN.
	query := []byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1}
	answer := make([]byte, 512)
	for range 2 {
		if _, err = conn.Write(query); err != nil {
			return err
		}
		if err = conn.SetReadDeadline(time.Now().Add(1500 * time.Millisecond)); err != nil {
			return err
		}
		if _, err = conn.Read(answer); err == nil {
			return nil
		}
	}
	return err
}
