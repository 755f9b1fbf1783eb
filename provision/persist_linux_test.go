package provision

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// deafListener is a listener whose queue is full, so that the kernel drops every
// further SYN in silence, as a network does that is not up yet.
func deafListener(t *testing.T) *net.TCPListener {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for range 4 { // until nobody answers any more
		conn, err := net.DialTimeout("tcp", l.Addr().String(), 50*time.Millisecond)
		if err != nil {
			return l.(*net.TCPListener)
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the listener's queue does not fill")
	return nil
}

// TestDroppedPackets: a machine whose network drops packets and then comes up is
// noticed long before the kernel sends the first packet of a connection again, at 3 s.
func TestDroppedPackets(t *testing.T) {
	l := deafListener(t)
	const after = 1200 * time.Millisecond
	time.AfterFunc(after, func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	})
	start := time.Now()
	conn, err := persist(t.Context(), &net.Dialer{}, l.Addr().String())
	late := time.Since(start) - after
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if late < 0 || late > time.Second {
		t.Errorf("connected %v after the network was up", late)
	}
	t.Logf("connected %v after the network was up", late)
}

// TestRefusedAtOnce: a refusal is an answer, and nobody waits for another.
func TestRefusedAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if conn, err := persist(t.Context(), &net.Dialer{}, addr); err == nil {
		conn.Close()
		t.Error("connected to nobody")
	}
}

// TestPersistCanceled: nobody answers, and the caller gives up.
func TestPersistCanceled(t *testing.T) {
	l := deafListener(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if conn, err := persist(ctx, &net.Dialer{}, l.Addr().String()); err == nil {
		conn.Close()
		t.Error("connected to a machine that does not answer")
	}
}
