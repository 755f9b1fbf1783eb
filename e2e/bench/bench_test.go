package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLink(t *testing.T) {
	for text, want := range map[string]link{
		"0": {}, "80ms": {rtt: 80 * time.Millisecond}, "80ms@50": {rtt: 80 * time.Millisecond, mbit: 50}, "0@50": {mbit: 50},
	} {
		if got, err := parseLink(text); err != nil || got != want {
			t.Errorf("parseLink(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "80", "-1ms", "80ms@", "80ms@0", "80ms@fast"} {
		if got, err := parseLink(text); err == nil {
			t.Errorf("parseLink(%q) = %v; want an error", text, got)
		}
	}
}

// TestRelay: what goes in comes out, whole and counted, both ways and on every kind of link.
func TestRelay(t *testing.T) {
	for _, l := range []link{{}, {rtt: 2 * time.Millisecond}, {rtt: 2 * time.Millisecond, mbit: 1000}} {
		t.Run(l.String(), func(t *testing.T) {
			echo := serveEcho(t)
			r, err := newRelay(l)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			conn, err := net.Dial("tcp", loopback(r.port()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r.aim(echo) // only now: whoever connects earlier waits
			sent := bytes.Repeat([]byte("relay"), 1<<20)
			go func() {
				conn.Write(sent)
				conn.(*net.TCPConn).CloseWrite()
			}()
			got, err := io.ReadAll(conn)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(sent), err)
			}
			conn.Close()
			if up, down := r.wire(); up != int64(len(sent)) || down != int64(len(sent)) {
				t.Errorf("counted %d up and %d down; want %d each", up, down, len(sent))
			}
		})
	}
}

func serveEcho(t *testing.T) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// endless is a stream to read so many bytes from at once, and to write to at once.
type endless struct {
	left    int
	arrived []time.Time
}

func (s *endless) Read(p []byte) (int, error) {
	n := min(len(p), s.left)
	s.left -= n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *endless) Write(p []byte) (int, error) {
	s.arrived = append(s.arrived, time.Now())
	return len(p), nil
}

func (s *endless) CloseRead() error  { return nil }
func (s *endless) CloseWrite() error { return nil }

// TestRelayModel: what a link lets through, in a time that passes only while all
// sleep. Every connection has a window of its own, and all share the rate.
func TestRelayModel(t *testing.T) {
	far := 80 * time.Millisecond
	for name, c := range map[string]struct {
		link               link
		connections, bytes int
		first, last        time.Duration
	}{
		"one connection, bound by its window": {link{rtt: far}, 1, 64 << 20, far / 2, 16 * far},
		"two, each by its own":                {link{rtt: far}, 2, 64 << 20, far / 2, 16 * far},
		"one, bound by the rate":              {link{rtt: far, mbit: 40}, 1, 10e6, far/2 + 32<<10*200*time.Nanosecond, far/2 + 2*time.Second},
		"two, by the same rate":               {link{rtt: far, mbit: 40}, 2, 5e6, far/2 + 32<<10*200*time.Nanosecond, far/2 + 2*time.Second},
		"rate without delay":                  {link{mbit: 40}, 2, 5e6, 32 << 10 * 200 * time.Nanosecond, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, start := &relay{link: c.link}, time.Now()
				to := make([]*endless, c.connections)
				var all sync.WaitGroup
				for i := range to {
					to[i] = &endless{}
					all.Go(func() { r.pump(to[i], &endless{left: c.bytes}, &r.up, start) })
				}
				all.Wait()
				last := time.Since(start)
				first := last
				for _, s := range to {
					first = min(first, s.arrived[0].Sub(start))
				}
				if first.Round(time.Millisecond) != c.first.Round(time.Millisecond) || last.Round(time.Millisecond) != c.last.Round(time.Millisecond) {
					t.Errorf("the first bytes arrive after %v, the last after %v; want %v and %v", first, last, c.first, c.last)
				}
				if got := r.up.bytes.Load(); got != int64(c.connections*c.bytes) {
					t.Errorf("%d bytes counted; want %d", got, c.connections*c.bytes)
				}
			})
		})
	}
}

// TestRelayHandshake: nobody's first byte arrives before the handshake is over.
func TestRelayHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, start := &relay{link: link{rtt: 80 * time.Millisecond}}, time.Now()
		to := &endless{}
		r.pump(to, &endless{left: 1}, &r.up, start.Add(r.link.rtt))
		if got, want := to.arrived[0].Sub(start), 120*time.Millisecond; got != want {
			t.Errorf("the client's first byte arrives after %v; want %v", got, want)
		}
	})
}

func TestAPIProxy(t *testing.T) {
	var host string
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		io.WriteString(w, "<x><privateIpAddress>10.1.2.3</privateIpAddress></x>")
	}))
	defer cloud.Close()
	var launched []string
	p, err := newAPIProxy(cloud.URL, func(addr string) { launched = append(launched, addr) })
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for _, action := range []string{"DescribeInstances", "RunInstances", "DescribeInstances"} {
		answer, err := http.PostForm(p.endpoint, url.Values{"Action": {action}})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || !strings.Contains(string(body), "10.1.2.3") {
			t.Errorf("%s answers %q, %v", action, body, err)
		}
	}
	if diff := cmp.Diff(map[string]int{"DescribeInstances": 2, "RunInstances": 1}, p.take()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"10.1.2.3:22"}, launched); diff != "" {
		t.Errorf("launched (-want +got):\n%s", diff)
	}
	if want := strings.TrimPrefix(p.endpoint, "http://"); host != want {
		t.Errorf("the cloud is asked as %q; want %q, which is what the caller signed", host, want)
	}
}

// TestTree: the same bytes every time, and the machine's sum of them is ours.
func TestTree(t *testing.T) {
	dir := t.TempDir()
	made, err := makeTree(dir, "few")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", checkScript)
	cmd.Dir = made.path
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != made.sum {
		t.Errorf("checkScript prints %s, sumOf %s", got, made.sum)
	}
	again, err := makeTree(t.TempDir(), "few")
	if err != nil || again.sum != made.sum {
		t.Errorf("made again, the sum is %s, %v; want %s", again.sum, err, made.sum)
	}
	if kept, err := makeTree(dir, "few"); err != nil || kept != made {
		t.Errorf("the kept tree is %+v, %v; want %+v", kept, err, made)
	}
}

func TestTemplate(t *testing.T) {
	path, err := template{api: "http://127.0.0.1:1", sshPort: 2222, keyFile: "/k", provides: uploading(tree{path: "/t/f", dest: inbox + "/f", sum: "abc"})}.write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Builders     []map[string]any
		Provisioners []map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if b := got.Builders[0]; b["ssh_port"] != 2222.0 || b["custom_endpoint_ec2"] != "http://127.0.0.1:1" {
		t.Errorf("builder is %v", b)
	}
	want := map[string]any{"type": "file", "source": "/t/f", "destination": inbox + "/f"}
	if diff := cmp.Diff(want, got.Provisioners[1]); diff != "" {
		t.Errorf("provisioner 2 (-want +got):\n%s", diff)
	}
}

func TestSpan(t *testing.T) {
	lines := []stampedLine{{1, "script a"}, {3, "upload"}, {7, "script b"}, {9, "script c"}}
	if got, err := marks("upload", "script", 1, 3).span(lines); err != nil || got != 6 {
		t.Errorf("span is %v, %v; want 6ns", got, err)
	}
	if got, err := marks("upload", "script", 1, 4).span(lines); err == nil {
		t.Errorf("a mark that is not there gives %v and no error", got)
	}
}

func TestRun(t *testing.T) {
	u, err := run(context.Background(), os.Environ(), "sh", "-c", "echo one; echo two >&2; sleep 0.1")
	if err != nil || len(u.lines) != 2 || u.lines[0].text != "one" || u.lines[1].text != "two" {
		t.Errorf("lines are %v, %v", u.lines, err)
	}
	if u.largest == 0 || u.together == 0 {
		t.Errorf("memory is %d and %d; want more than nothing", u.largest, u.together)
	}
	exit := (*exec.ExitError)(nil)
	if _, err := run(context.Background(), os.Environ(), "sh", "-c", "echo why; exit 3"); !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(err.Error(), "why") {
		t.Errorf("a program that exits 3 gives %v; want its exit and its output", err)
	}
}

func TestReport(t *testing.T) {
	took := func(seconds ...float64) (all []sample) {
		for _, s := range seconds {
			all = append(all, sample{Seconds: s, Largest: 10 << 20, Memory: 12 << 20, CPU: 0.5, Sent: 2_500_000, Calls: map[string]int{"A": 2, "B": 1}})
		}
		return all
	}
	r := result{
		row:     row{name: "many", link: link{rtt: 80 * time.Millisecond}, entries: []contender{{name: imagoBake}, {name: "a | b"}, {name: "never ran"}}},
		samples: map[string][]sample{imagoBake: took(1, 2, 3), "a | b": took(2, 8, 6)},
	}
	lines := r.lines(map[string]int64{imagoBake: 8 << 20})
	want := `| row | link | program | median s | min..max | imago / this | largest process MiB | over idle MiB | all MiB | CPU s | sent MB | API calls | n |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| many | 80 ms | imago | 2.000 | 1.000..3.000 |  | 10.0 | 2.0 | 12 | 0.50 | 2.5 | 3 | 3 |
| many | 80 ms | a \| b | 6.000 | 2.000..8.000 | 0.50 (0.25..0.50) | 10.0 |  | 12 | 0.50 | 2.5 | 3 | 3 |
`
	if diff := cmp.Diff(want, table(lines)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	var svg struct {
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal(chart(lines), &svg); err != nil {
		t.Fatal(err)
	}
	wantTexts := []string{"many", "round trip 80 ms", "imago", "2.00 s", "a | b", "6.00 s · 2.0×"}
	if diff := cmp.Diff(wantTexts, svg.Texts[2:]); diff != "" {
		t.Errorf("chart's texts (-want +got):\n%s", diff)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want spread
	}{{nil, spread{}}, {[]float64{3}, spread{3, 3, 3}}, {[]float64{9, 1, 2}, spread{2, 1, 9}}, {[]float64{4, 1, 2, 9}, spread{3, 1, 9}}} {
		if got := spreadOf(c.in); got != c.want {
			t.Errorf("spreadOf(%v) = %v; want %v", c.in, got, c.want)
		}
	}
}
