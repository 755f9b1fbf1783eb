package provisiontest

import (
	"net"
	"testing"
)

// Serve listens until the end of the test, and handles each connection, which it
// closes after that.
func Serve(t *testing.T, network, address string, handle func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return l.Addr().String()
}
