package provision

import (
	"strconv"
	"strings"
)

// ackEvery is after how much output the machine is told that it need not keep it.
// It keeps 16 MiB of each output, and has the script wait then.
const ackEvery = 1 << 20

// told is what run.sh has said.
type told struct {
	pid     int    // of the script's keeper; 0 before it was started
	boot    string // the boot that it was started in
	other   bool   // the machine has booted again since
	status  exitStatus
	leaving bool // the machine had begun to shut down when the script ended
	ends    int  // outputs in which the script's end was seen

	// In this session:
	none  bool // there is no such script
	overs int  // outputs that are over
}

// begin is before each session.
func (r *run) begin() {
	r.stdout.anew()
	r.stderr.anew()
	r.chatter = tail{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.none, r.told.overs = false, 0
}

// hear takes what run.sh says.
func (r *run) hear(word, about string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, words := &r.told, strings.Fields(about)
	switch word {
	case wordStart:
		if len(words) > 0 {
			t.pid, _ = strconv.Atoi(words[0]) // 0, which is no process, when it is none
			t.see(words[1:])
		}
		r.started()
	case wordNone:
		t.none = true
		t.see(words)
	case wordEnd:
		t.ends++
		t.end(words)
	case wordOver:
		t.overs++
		t.end(words)
	}
	select {
	case r.heard <- struct{}{}:
	default:
	}
}

// see compares boots.
func (t *told) see(boot []string) {
	if now := strings.Join(boot, " "); t.boot == "" {
		t.boot = now
	} else if t.boot != now {
		t.other = true
	}
}

// end takes the script's status, the first time it is said.
func (t *told) end(words []string) {
	if t.status.known || len(words) == 0 {
		return
	}
	if code, err := strconv.Atoi(words[0]); err == nil {
		t.status = exitStatus{known: true, code: code}
		t.leaving = len(words) > 1
	}
}

// problem is that of a script which is over and has left no status.
func (t *told) problem() error {
	if t.status.known {
		return nil
	}
	return errEnded
}

// moved is called after each output.
func (r *run) moved() {
	sum := r.stdout.at + r.stderr.at
	if sum-r.acked < ackEvery {
		return
	}
	r.acked = sum
	r.mu.Lock()
	r.got = [2]int64{r.stdout.at, r.stderr.at}
	r.mu.Unlock()
	select {
	case r.acks <- struct{}{}:
	default:
	}
}

func (r *run) arrived() [2]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func (r *run) now() told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// pid is the process that keeps the script, or 0 before it was started.
func (r *run) pid() int { return r.now().pid }
