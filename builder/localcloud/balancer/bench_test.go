package balancer_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"net/netip"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// BenchmarkListener is requests through a load balancer to a target of the same
// process, over connections that are kept; its clients share the processors.
func BenchmarkListener(b *testing.B) {
	target, err := balancer.Listen(balancer.ListenerConfig{Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Idle: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	target.Route([]balancer.Rule{{Action: balancer.Action{Fixed: &balancer.Fixed{Status: 200, Body: "ok"}}}})
	g := balancer.NewGroup(quick())
	defer g.Close()
	g.Register("a", target.Addrs()[0])
	l, err := balancer.Listen(balancer.ListenerConfig{Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Idle: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	l.Route([]balancer.Rule{{Action: balancer.Action{Forward: []balancer.Weighted{{Group: g, Weight: 1}}}}})
	url := "http://" + l.Addrs()[0].String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Get(url)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
