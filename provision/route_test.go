//go:build linux

package provision_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

func TestBastion(t *testing.T) {
	t.Parallel()
	inner, outer := provisiontest.Start(t, provisiontest.Options{}), provisiontest.Start(t, provisiontest.Options{})
	id := inner.Identity()
	id.Bastion = &provision.Bastion{Addr: outer.Addr, Identity: outer.Identity()}
	h := connect(t, inner.Addr, id)
	if got := strings.TrimSpace(output(t, h, "pwd")); got != inner.Home {
		t.Errorf("arrived in %q, want %q", got, inner.Home)
	}

	for name, test := range map[string]struct {
		change func(*provision.Identity)
		is     error
		says   string
	}{
		"wrong key at the bastion": {func(id *provision.Identity) { id.Bastion.Identity.Keys = [][]byte{inner.Key.Private} },
			provision.ErrAuth, "bastion: connect to " + outer.Addr},
		"other bastion": {func(id *provision.Identity) { id.Bastion.Identity.HostKey.Key = inner.HostKey.Public },
			provision.ErrHostKey, "bastion: connect to " + outer.Addr},
		"other machine": {func(id *provision.Identity) { id.HostKey.Key = outer.HostKey.Public },
			provision.ErrHostKey, "connect to " + inner.Addr},
	} {
		t.Run(name, func(t *testing.T) {
			id := inner.Identity()
			id.Bastion = &provision.Bastion{Addr: outer.Addr, Identity: outer.Identity()}
			test.change(&id)
			_, err := provision.Dial(context.Background(), inner.Addr, id)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Dial = %v, want %v with %q", err, test.is, test.says)
			}
		})
	}
}

func TestBastionCannotReach(t *testing.T) {
	t.Parallel()
	outer := provisiontest.Start(t, provisiontest.Options{})
	id := outer.Identity()
	id.Bastion = &provision.Bastion{Addr: outer.Addr, Identity: outer.Identity()}
	_, err := provision.Dial(context.Background(), "127.0.0.1:1", id)
	if err == nil || !strings.Contains(err.Error(), "connect to 127.0.0.1:1: from bastion "+outer.Addr) {
		t.Errorf("Dial = %v, want it to name both", err)
	}
}

// startSOCKS is a SOCKS5 proxy for the user "me" with the password "too". It
// counts the connections it makes.
func startSOCKS(t *testing.T) (addr string, made *atomic.Int32) {
	t.Helper()
	made = &atomic.Int32{}
	return provisiontest.Serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) { _ = serveSOCKS(conn, made) }), made
}

func serveSOCKS(c net.Conn, made *atomic.Int32) error {
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(c, b)
		return b
	}
	read(int(read(2)[1]))
	c.Write([]byte{5, 2})
	user := string(read(int(read(2)[1])))
	password := string(read(int(read(1)[0])))
	if user != "me" || password != "too" {
		_, err := c.Write([]byte{1, 1})
		return err
	}
	c.Write([]byte{1, 0})
	request := read(4) // the address is IPv4
	if request[3] != 1 {
		return errors.New("not an IPv4 address")
	}
	ip, port := net.IP(read(4)), binary.BigEndian.Uint16(read(2))
	to, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: ip, Port: int(port)})
	if err != nil {
		return err
	}
	defer to.Close()
	made.Add(1)
	c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go io.Copy(to, c)
	_, err = io.Copy(c, to)
	return err
}

func TestProxy(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	addr, made := startSOCKS(t)
	id := s.Identity()
	id.Proxy = &provision.Proxy{Addr: addr, User: "me", Password: "too"}
	output(t, connect(t, s.Addr, id), "true")
	id.Bastion = &provision.Bastion{Addr: s.Addr, Identity: s.Identity()}
	output(t, connect(t, s.Addr, id), "true")
	if got := made.Load(); got != 2 {
		t.Errorf("%d connections went through the proxy, want 2", got)
	}

	id.Proxy.Password = "wrong"
	_, err := provision.Dial(context.Background(), s.Addr, id)
	if err == nil || !strings.Contains(err.Error(), "proxy "+addr) {
		t.Errorf("Dial = %v, want it to name the proxy", err)
	}
}

func TestKeepAliveNoticesDeadPeer(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	network := startWire(t, s.Addr, 0)
	id := s.Identity()
	id.KeepAlive = 40 * time.Millisecond
	h := connect(t, network.addr, id)

	time.AfterFunc(400*time.Millisecond, func() { network.dead.Store(true) })
	begun := time.Now()
	_, err := h.Output(context.Background(), "sleep 30")
	if !errors.Is(err, provision.ErrLost) || !strings.Contains(err.Error(), "no answer for") {
		t.Errorf("Output = %v, want the connection to be lost for want of answers", err)
	}
	if took := time.Since(begun); took < 400*time.Millisecond || took > 5*time.Second {
		t.Errorf("noticed after %v: a quiet but living connection has to be kept, a dead one not", took)
	}
	<-h.Done()
}

func TestDone(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	select {
	case <-h.Done():
		t.Fatal("done at once")
	default:
	}
	s.Stop()
	select {
	case <-h.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the server is gone, and Done is open")
	}
	if _, err := h.Output(context.Background(), "true"); !errors.Is(err, provision.ErrLost) {
		t.Errorf("Output = %v, want ErrLost", err)
	}
}
