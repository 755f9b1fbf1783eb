package e2e

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// relay is the way to the machine of a build, which can be cut.
type relay struct {
	host, port string
	machine    func() string // its address, or nothing as long as there is none
	rate       int           // bytes a second to the machine; 0: no limit

	mu   sync.Mutex
	open map[net.Conn]bool
}

// startRelay waits for connections to the next machine that there will be.
func startRelay(t *testing.T, rate int) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{rate: rate, open: map[net.Conn]bool{}}
	r.host, r.port, _ = net.SplitHostPort(l.Addr().String())
	before := machines(t)
	r.machine = sync.OnceValue(func() string {
		for ; t.Context().Err() == nil; time.Sleep(20 * time.Millisecond) {
			for id, ip := range machines(t) {
				if _, old := before[id]; !old && ip != "" {
					return ip
				}
			}
		}
		return ""
	})
	t.Cleanup(func() { l.Close(); r.cut() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(conn)
		}
	}()
	return r
}

// machines are the running machines and their addresses.
func machines(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	out, err := client(t).DescribeInstances(after(t), &ec2.DescribeInstancesInput{})
	if err != nil {
		return all // one look of many
	}
	for _, i := range instances(out) {
		if slices.Contains([]types.InstanceStateName{types.InstanceStateNamePending, types.InstanceStateNameRunning}, i.State.Name) {
			all[*i.InstanceId] = aws.ToString(i.PublicIpAddress)
		}
	}
	return all
}

// options are a template's that make the build come through the relay.
func (r *relay) options() string {
	return `, "ssh_host": "` + r.host + `", "ssh_port": ` + r.port
}

// pass carries one connection to the machine and back.
func (r *relay) pass(build net.Conn) {
	defer build.Close()
	machine, err := net.Dial("tcp", net.JoinHostPort(r.machine(), "22"))
	if err != nil {
		return
	}
	defer machine.Close()
	r.mu.Lock()
	r.open[build], r.open[machine] = true, true
	r.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { io.Copy(build, machine); build.Close() })
	both.Go(func() { io.Copy(machine, throttled{build, r.rate}); machine.Close() })
	both.Wait()
}

// cut ends all connections at once, as a network does that loses its state.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	clear(r.open)
}

// throttled reads no more than rate bytes a second.
type throttled struct {
	io.Reader
	rate int
}

func (s throttled) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p[:min(len(p), 16<<10)])
	if s.rate > 0 {
		time.Sleep(time.Duration(n) * time.Second / time.Duration(s.rate))
	}
	return n, err
}

// lines are what a script said in a build's log, without what comes before it.
func lines(log, prefix string) (said []string) {
	for line := range strings.Lines(log) {
		if at := strings.Index(line, prefix); at >= 0 {
			said = append(said, strings.TrimSpace(line[at:]))
		}
	}
	return said
}
