//go:build linux

package provision_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// say answers every connection with a text, until the test ends.
func say(t *testing.T, text string) (addr string) {
	t.Helper()
	return provisiontest.Serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { fmt.Fprint(c, text) })
}

// hear reads all that an address says.
func hear(addr string) (string, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	out, err := io.ReadAll(c)
	return string(out), err
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestTunnels: what listens on one side is answered from the other, as long as there is the connection.
func TestTunnels(t *testing.T) {
	s := provisiontest.Start(t, provisiontest.Options{})
	id := s.Identity()
	there, here := freePort(t), freePort(t)
	id.LocalTunnels = []provision.Tunnel{{Listen: here, Target: say(t, "from the machine's side")}}
	id.RemoteTunnels = []provision.Tunnel{{Listen: there, Target: say(t, "from our side")}}
	h := connect(t, s.Addr, id)
	for range 2 {
		if got, err := hear(here); err != nil || got != "from the machine's side" {
			t.Errorf("through the local tunnel %q, %v", got, err)
		}
	}
	host, port, _ := strings.Cut(there, ":")
	if got := output(t, h, "bash -c 'cat < /dev/tcp/"+host+"/"+port+"'"); got != "from our side" {
		t.Errorf("through the remote tunnel %q", got)
	}
	h.Close()
	for _, addr := range []string{here, there} {
		silent := func() bool { _, err := hear(addr); return err != nil }
		for deadline := time.Now().Add(10 * time.Second); !silent(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s still answers without the connection", addr)
			}
		}
	}
}

// TestTunnelTaken: a port that is taken is an error that names the tunnel, and leaves no connection.
func TestTunnelTaken(t *testing.T) {
	s := provisiontest.Start(t, provisiontest.Options{})
	taken := say(t, "")
	for _, side := range []string{"local", "remote"} {
		id, tunnel := s.Identity(), []provision.Tunnel{{Listen: taken, Target: "localhost:80"}}
		want := "tunnel from " + taken + " to localhost:80 on the machine: "
		if id.LocalTunnels = tunnel; side == "remote" {
			id.LocalTunnels, id.RemoteTunnels = nil, tunnel
			want = "tunnel from " + taken + " on the machine to localhost:80 here: "
		}
		_, err := provision.Dial(context.Background(), s.Addr, id)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", side, err, want)
		}
	}
}

// TestTunnelStays: a tunnel is there again when a lost connection is made again under a script.
func TestTunnelStays(t *testing.T) {
	s := provisiontest.Start(t, provisiontest.Options{})
	id, here := s.Identity(), freePort(t)
	id.LocalTunnels = []provision.Tunnel{{Listen: here, Target: say(t, "still")}}
	h := connect(t, s.Addr, id)
	done := make(chan error, 1)
	heard := filepath.Join(s.Dir, "heard")
	cut := fmt.Sprintf("pkill -u %d sshd; until test -e %s; do sleep 0.05; done\n", s.UID, heard)
	go func() {
		done <- h.Run(t.Context(), provision.Script{Name: "cut", Body: []byte(cut)}, io.Discard, io.Discard)
	}()
	<-h.Done()
	for deadline := time.Now().Add(time.Minute); ; {
		if got, err := hear(here); err == nil && got == "still" {
			break
		}
		select {
		case err := <-done:
			t.Fatalf("no tunnel before the end of the script, which was %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no tunnel on the connection that took the lost one's place")
		}
	}
	if err := os.WriteFile(heard, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
