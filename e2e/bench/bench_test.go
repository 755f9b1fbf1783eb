package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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

// TestUploadRow: who is compared on which link, and with what destination.
func TestUploadRow(t *testing.T) {
	b := &bench{cloud: &cloud{}}
	names := func(tr tree, l link) (all []string) {
		for _, c := range b.upload(tr, l).entries {
			all = append(all, c.name)
		}
		return all
	}
	here := []string{imagoBake, packerBake, imagoPut, plainTar, "rsync -a", "scp -r"}
	if diff := cmp.Diff(here, names(tree{files: 10_000}, link{})); diff != "" {
		t.Errorf("at 0 ms (-want +got):\n%s", diff)
	}
	slow := []string{imagoBake, packerBake, imagoPut, plainTar, "tar z | ssh tar z", "rsync -a", "rsync -az"}
	if diff := cmp.Diff(slow, names(tree{files: 10_000}, link{rtt: 80 * time.Millisecond, mbit: 50})); diff != "" {
		t.Errorf("at 80 ms and 50 Mbit/s (-want +got):\n%s", diff)
	}
	big := tree{name: "big", path: "/t/big/", dest: inbox}.single()
	if big.path != "/t/big/blob000.bin" || big.dest != inbox+"/blob000.bin" {
		t.Errorf("the one file goes from %s to %s", big.path, big.dest)
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

// TestPeak: what a small program takes is sampled, and what a large one takes is
// told by the kernel, which inherits nothing from a process that is smaller.
func TestPeak(t *testing.T) {
	for _, c := range []struct{ sampled, accounted, floor, want int64 }{{5, 9, 9, 5}, {5, 12, 9, 12}, {14, 12, 9, 14}} {
		if got := peak(c.sampled, c.accounted, c.floor); got != c.want {
			t.Errorf("peak(%d, %d, %d) = %d; want %d", c.sampled, c.accounted, c.floor, got, c.want)
		}
	}
	big := bytes.Repeat([]byte("x"), 64<<20)
	if got := floor(); got < 64<<20 {
		t.Errorf("the floor is %d with 64 MiB in use", got)
	}
	runtime.KeepAlive(big)
	if got := floor(); got > 48<<20 {
		t.Errorf("the floor is %d after that is gone", got)
	}
	// 100 MiB that are gone again within a moment, at the very end.
	u, err := run(context.Background(), os.Environ(), "dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1")
	if err != nil || u.largest < 100<<20 {
		t.Errorf("the largest process took %d, %v; want 100 MiB and more", u.largest, err)
	}
}

func TestIdleSize(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if got, err := idleSize(context.Background(), os.Environ(), pipe, []string{"cat", pipe}); err != nil || got == 0 {
		t.Errorf("cat takes %d, %v; want more than nothing", got, err)
	}
	if got, err := idleSize(context.Background(), os.Environ(), pipe, []string{"true"}); err == nil {
		t.Errorf("a program that ends takes %d; want an error", got)
	}
}

// TestRounds: rows of one round take turns, and one that stops does not stop the others.
func TestRounds(t *testing.T) {
	wrong := contender{name: "wrong", command: func(string) []string { return []string{"false"} }}
	right := contender{name: "right", command: func(string) []string { return []string{"true"} }}
	api, err := newAPIProxy("http://127.0.0.1:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	b := &bench{settings: settings{n: 2, dir: t.TempDir()}, cloud: &cloud{}, api: api, until: time.Now().Add(time.Hour)}
	all := b.runAll(context.Background(), []row{
		{name: "a", round: "r", direct: true, entries: []contender{wrong, right}},
		{name: "b", round: "r", direct: true, entries: []contender{right}},
		{name: "c", direct: true, entries: []contender{right, wrong}},
	})
	var got []string
	for _, r := range all {
		got = append(got, fmt.Sprintf("%s %d %v", r.row.name, len(r.samples["right"]), r.problem != nil))
	}
	if diff := cmp.Diff([]string{"a 0 true", "b 2 false", "c 1 true"}, got); diff != "" {
		t.Errorf("rows, runs, problems (-want +got):\n%s", diff)
	}
}

func TestEstimate(t *testing.T) {
	big := tree{files: 1, bytes: 500e6}
	for l, want := range map[link]time.Duration{
		{}:                                    3 * time.Second,
		{rtt: 80 * time.Millisecond}:          21 * time.Second,
		{rtt: 80 * time.Millisecond, mbit: 8}: 502 * time.Second,
	} {
		if got := big.copying(l).Round(time.Second); got != want {
			t.Errorf("500 MB take about %v at %v; want %v", got, l, want)
		}
	}
	rows := []row{{entries: []contender{{takes: 9 * time.Second}, {takes: 19 * time.Second}}}}
	if got := estimate(rows, 5); got != 150*time.Second {
		t.Errorf("five turns take about %v; want 2m30s", got)
	}
}

func TestAgain(t *testing.T) {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.Int("n", 5, "")
	flags.String("dir", "", "")
	if got := again(flags); got != "make bench" {
		t.Errorf("without flags it is %q", got)
	}
	if err := flags.Parse([]string{"-n", "3", "-dir", "/secret"}); err != nil {
		t.Fatal(err)
	}
	if got, want := again(flags), "make bench BENCH='-n 3'"; got != want {
		t.Errorf("it is %q; want %q", got, want)
	}
}
