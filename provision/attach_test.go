//go:build linux

package provision_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

var seed = flag.Uint64("seed", 0, "seed of the moments at which connections are cut; 0: another one each time")

// moments are random, and print what makes them the same again.
func moments(t *testing.T) *rand.Rand {
	t.Helper()
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("to cut at the same moments again: -seed %d", from)
	return rand.New(rand.NewPCG(from, 1))
}

// cutter cuts everything on a wire n times, after random pauses, once begin is closed.
func cutter(t *testing.T, w *wire, r *rand.Rand, n int, most time.Duration, begin <-chan struct{}) (cuts *atomic.Int32) {
	t.Helper()
	stop, ended, cuts := make(chan struct{}), make(chan struct{}), new(atomic.Int32)
	go func() {
		defer close(ended)
		select {
		case <-begin:
		case <-stop:
			return
		}
		for int(cuts.Load()) < n {
			select {
			case <-time.After(time.Duration(r.Int64N(int64(most)))):
				w.cut()
				cuts.Add(1)
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return cuts
}

// atFirst is a writer to w, and is closed for begin at its first output.
func atFirst(w io.Writer) (out io.Writer, begin <-chan struct{}) {
	first, begun := make(chan struct{}), false
	return writerFunc(func(p []byte) (int, error) {
		if !begun {
			begun = true
			close(first)
		}
		return w.Write(p)
	}), first
}

// TestRunCut cuts the connection at 20 random moments while a script runs: it
// runs once, all of both outputs arrives, in order and once, and so does its status.
func TestRunCut(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			r := moments(t)
			s := provisiontest.Start(t, provisiontest.Options{Shell: "/usr/bin/" + shell})
			w := startWire(t, s.Addr, 0)
			h := connect(t, w.addr, s.Identity())
			ran := filepath.Join(s.Home, "ran")
			var out, stderr strings.Builder
			first, begin := atFirst(&out)
			cuts := cutter(t, w, r, 20, 400*time.Millisecond, begin)
			err := h.Run(context.Background(), script("echo once >>"+ran, "for i in $(seq 1 300); do echo $i; echo no $i >&2; sleep 0.02; done",
				"printf 'no line end'; exit 7"), first, &stderr)
			exit := (*provision.ExitError)(nil)
			if !errors.As(err, &exit) || exit.Code != 7 {
				t.Errorf("Run = %v, want exit status 7", err)
			}
			if diff := cmp.Diff(numbers(1, 300)+"\nno line end", out.String()); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff("no "+strings.ReplaceAll(numbers(1, 300), "\n", "\nno ")+"\n", stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if text, err := os.ReadFile(ran); err != nil || string(text) != "once\n" {
				t.Errorf("it ran %q (%v)", text, err)
			}
			t.Logf("cut %d times", cuts.Load())
			noneLeft(t, s)
		})
	}
}

// TestRunCutBigOutput cuts the connection while a script writes as fast as it can.
func TestRunCutBigOutput(t *testing.T) {
	t.Parallel()
	const size = 20 << 20
	r := moments(t)
	s := provisiontest.Start(t, provisiontest.Options{})
	data := filepath.Join(s.Dir, "noise")
	noiseFile(t, data, size)
	if err := os.Chmod(data, 0o644); err != nil {
		t.Fatal(err)
	}
	w := startWire(t, s.Addr, 0)
	out, stderr := sha256.New(), sha256.New()
	first, begin := atFirst(out)
	cuts := cutter(t, w, r, 20, 200*time.Millisecond, begin)
	slow := writerFunc(func(p []byte) (int, error) { time.Sleep(time.Millisecond); return first.Write(p) })
	err := connect(t, w.addr, s.Identity()).Run(context.Background(), script("cat "+data+" & cat "+data+" >&2; wait"), slow, stderr)
	want, readErr := os.ReadFile(data)
	if err != nil || readErr != nil {
		t.Fatal(err, readErr)
	}
	sum := sha256.Sum256(want)
	if got := fmt.Sprintf("%x %x", out.Sum(nil), stderr.Sum(nil)); got != fmt.Sprintf("%x %[1]x", sum) {
		t.Errorf("the outputs are %s, want %x each", got, sum)
	}
	t.Logf("cut %d times", cuts.Load())
	noneLeft(t, s)
}

// TestRunCutAtTheStart cuts the connection wherever a script is being sent and
// started. Nobody can know whether it has begun but the machine: it runs once.
func TestRunCutAtTheStart(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	once := func(t *testing.T, w *wire, h *provision.Host) {
		t.Helper()
		ran := filepath.Join(s.Home, "ran")
		if err := os.RemoveAll(ran); err != nil {
			t.Fatal(err)
		}
		got := run(t, h, script("echo once >>"+ran, "echo done"))
		if diff := cmp.Diff(said{Out: "done\n"}, got); diff != "" {
			t.Errorf("the script (-want +got):\n%s", diff)
		}
		if text, err := os.ReadFile(ran); err != nil || string(text) != "once\n" {
			t.Errorf("it ran %q (%v)", text, err)
		}
	}
	whole := startWire(t, s.Addr, 0)
	h := connect(t, whole.addr, s.Identity())
	output(t, h, "true")
	before := whole.sent.Load()
	once(t, whole, h)
	total := whole.sent.Load() - before
	for at := int64(1); at <= total+200; at += max(1, total/24) {
		t.Run(fmt.Sprint(at, " of ", total), func(t *testing.T) {
			w := startWire(t, s.Addr, 0)
			h := connect(t, w.addr, s.Identity())
			output(t, h, "true")
			w.mu.Lock()
			w.cutAt = []int64{w.sent.Load() + at}
			w.mu.Unlock()
			once(t, w, h)
		})
	}
	noneLeft(t, s)
}

// TestRunDeadConnection has us away for a while, and the script write more than
// anything on the way can hold: it waits, takes little of the machine's disk, and
// goes on when we are back. One network forgets a connection without telling either end.
func TestRunDeadConnection(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*wire){"cut": (*wire).cut, "forgotten": (*wire).forget} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testRunDeadConnection(t, away)
		})
	}
}

func testRunDeadConnection(t *testing.T, away func(*wire)) {
	const size = 64 << 20
	s := provisiontest.Start(t, provisiontest.Options{})
	w := startWire(t, s.Addr, 0)
	id := s.Identity()
	id.KeepAlive = 500 * time.Millisecond
	var got int64
	var most atomic.Int64
	var once sync.Once
	out := writerFunc(func(p []byte) (int, error) {
		if got += int64(len(p)); got > 1<<20 {
			once.Do(func() {
				w.target.Store("127.0.0.1:1")
				go away(w)
				time.AfterFunc(3*time.Second, func() {
					most.Store(taken(t, s))
					w.target.Store(s.Addr)
				})
			})
		}
		return len(p), nil
	})
	err := connect(t, w.addr, id).Run(context.Background(), script(fmt.Sprintf("head -c %d /dev/zero", size)), out, nil)
	if err != nil || got != size {
		t.Errorf("%d bytes (%v), want %d", got, err, size)
	}
	if kept := most.Load(); kept == 0 || kept > 24<<20 {
		t.Errorf("%d bytes of the output were kept on the machine, want some and at most 24 MiB", kept)
	}
	noneLeft(t, s)
}

// taken is how much of the disk the machine's running scripts take.
func taken(t *testing.T, s *provisiontest.Server) (bytes int64) {
	t.Helper()
	for _, dir := range leftBehind(t, s) {
		filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
			if err == nil {
				bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
			}
			return nil
		})
	}
	return bytes
}

// TestRunReboots has the machine lose its power, and boot again.
func TestRunReboots(t *testing.T) {
	t.Parallel()
	restart := func(t *testing.T, s *provisiontest.Server) io.Writer {
		return writerFunc(func(p []byte) (int, error) { s.Restart(t); return len(p), nil })
	}
	t.Run("not expected", func(t *testing.T) {
		t.Parallel()
		s, h := machine(t, provisiontest.Options{})
		err := h.Run(context.Background(), script("echo up", "sleep 60"), restart(t, s), nil)
		if err == nil || !strings.HasPrefix(err.Error(), "run inline: the machine rebooted under it; ") {
			t.Errorf("Run = %v, want that the machine rebooted", err)
		}
		noneLeft(t, s)
	})
	t.Run("expected", func(t *testing.T) {
		t.Parallel()
		s, h := machine(t, provisiontest.Options{})
		going := script("echo up", "sleep 60")
		going.ExpectDisconnect = true
		if err := h.Run(context.Background(), going, restart(t, s), nil); err != nil {
			t.Fatal(err)
		}
		next := connect(t, s.Addr, s.Identity())
		if ready, err := next.Await(context.Background(), h.Left()); !ready || err != nil {
			t.Errorf("Await = %v, %v, want a machine that is ready", ready, err)
		}
		noneLeft(t, s)
	})
}

// TestAwaitWithoutReboot: a script that may disconnect, and is cut off while the
// machine stays up, is not over with that.
func TestAwaitWithoutReboot(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	for status, want := range map[int]error{0: nil, 3: &provision.ExitError{Script: "inline", Code: 3, Tail: "up"}} {
		w := startWire(t, s.Addr, 0)
		h := connect(t, w.addr, s.Identity())
		going := script("echo up", "sleep 1", fmt.Sprintf("echo $? >~/slept; exit %d", status))
		going.ExpectDisconnect = true
		cut := writerFunc(func(p []byte) (int, error) { go w.cut(); return len(p), nil })
		if err := h.Run(context.Background(), going, cut, nil); err != nil {
			t.Fatal(err)
		}
		next := connect(t, s.Addr, s.Identity())
		ready, err := next.Await(context.Background(), h.Left())
		if ready != (want == nil) || fmt.Sprint(err) != fmt.Sprint(want) {
			t.Errorf("Await = %v, %v, want %v", ready, err, want)
		}
		if _, err := os.Stat(filepath.Join(s.Home, "slept")); err != nil {
			t.Error("it was not waited for")
		}
		os.Remove(filepath.Join(s.Home, "slept"))
	}
	noneLeft(t, s)
}

// TestRunEndedWhileCut has somebody end the script and its keeper while nobody is
// connected, and remove what belongs to it, too. That is no success, and it does not run again.
func TestRunEndedWhileCut(t *testing.T) {
	t.Parallel()
	for also, want := range map[string]string{
		"true":                "run inline: it was ended on the machine, by something that let it leave no status; was there enough memory?",
		"rm -rf /tmp/imago-*": "run inline: the machine ended it with the connection, and its directory is gone; does its logind.conf say KillUserProcesses=yes?",
	} {
		t.Run(also, func(t *testing.T) {
			s := provisiontest.Start(t, provisiontest.Options{})
			w := startWire(t, s.Addr, 0)
			h := connect(t, w.addr, s.Identity())
			other := connect(t, s.Addr, s.Identity())
			end := writerFunc(func(p []byte) (int, error) {
				w.target.Store("127.0.0.1:1")
				w.cut()
				_, _ = other.Output(context.Background(), "pkill -KILL -f '[i]mago-script'; pkill -KILL -f '[s]leep 62'; "+also+" 2>/dev/null")
				w.target.Store(s.Addr)
				return len(p), nil
			})
			err := h.Run(context.Background(), script("echo once >>~/ran", "echo up", "sleep 62"), end, nil)
			if err == nil || err.Error() != want {
				t.Errorf("Run = %v, want %s", err, want)
			}
			if text, err := os.ReadFile(filepath.Join(s.Home, "ran")); err != nil || string(text) != "once\n" {
				t.Errorf("it ran %q (%v)", text, err)
			}
			noneLeft(t, s)
		})
	}
}

// TestRunCanceledWhileCut: what runs is ended although the connection is lost.
func TestRunCanceledWhileCut(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	w := startWire(t, s.Addr, 0)
	h := connect(t, w.addr, s.Identity())
	cause := errors.New("the user pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(context.Background())
	up := writerFunc(func(p []byte) (int, error) { w.cut(); cancel(cause); return len(p), nil })
	if err := h.Run(ctx, script("echo up; sleep 61"), up, nil); !errors.Is(err, cause) {
		t.Errorf("Run = %v, want %v", err, cause)
	}
	other := connect(t, s.Addr, s.Identity())
	if got, err := other.Output(context.Background(), "pgrep -x -a sleep"); err == nil {
		t.Errorf("still running: %s", got)
	}
	noneLeft(t, s)
}

// lines is a script that writes 2500 lines to each output, each in a write of its own.
const lines = "for i in $(seq 1 2500); do echo $i; echo no $i >&2; sleep 0.001; done"

// TestRunManyLines: an output may come in any number of pieces, of any size, also
// when the script has removed all that is in /tmp.
func TestRunManyLines(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	h := connect(t, s.Addr, s.Identity())
	// What keeps the output may put a file there while rm is at work.
	nowhere := `until rm -rf "${0%/*}" 2>/dev/null; do :; done`
	for name, first := range map[string]string{"": "true", "with nowhere to keep it": nowhere} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, stderr strings.Builder
			err := h.Run(context.Background(), script(first, lines, "exit 7"), &out, &stderr)
			exit := (*provision.ExitError)(nil)
			if !errors.As(err, &exit) || exit.Code != 7 {
				t.Errorf("Run = %v, want exit status 7", err)
			}
			if diff := cmp.Diff(numbers(1, 2500)+"\n", out.String()); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff("no "+strings.ReplaceAll(numbers(1, 2500), "\n", "\nno ")+"\n", stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRunGivenUp: a script whose machine could not be reached again in time is
// ended by the next connection, before anything else happens there.
func TestRunGivenUp(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	w := startWire(t, s.Addr, 0)
	id := s.Identity()
	id.ReconnectFor = 500 * time.Millisecond
	h := connect(t, w.addr, id)
	alive := filepath.Join(s.Home, "alive")
	gone := writerFunc(func(p []byte) (int, error) { w.target.Store("127.0.0.1:1"); w.cut(); return len(p), nil })
	err := h.Run(context.Background(), script("echo begun", "while :; do date >"+alive+"; sleep 0.05; done"), gone, nil)
	if !errors.Is(err, provision.ErrLost) {
		t.Fatalf("Run = %v, want that the connection is lost", err)
	}
	next := connect(t, s.Addr, s.Identity())
	if ready, err := next.Await(context.Background(), h.Left()); !ready || err != nil {
		t.Fatalf("Await = %v, %v", ready, err)
	}
	if err := os.Remove(alive); err != nil {
		t.Fatal(err)
	}
	noneLeft(t, s)
	time.Sleep(300 * time.Millisecond)
	if _, err := os.Stat(alive); err == nil {
		t.Error("it is still running")
	}
}
