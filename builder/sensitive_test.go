package builder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagobuild/imago/provision"
)

// TestDiscreet: a sensitive value is in no event and in no record of the journal,
// wherever it is in the configuration and however a script writes it.
func TestDiscreet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret = "hunter2-hunter2"
		cloud := newFake()
		m := &fakeMachine{says: "hunter2-\nhunter2\n", run: func(context.Context) error {
			return &provision.ExitError{Script: "nginx.sh", Code: 1, Tail: "no " + secret}
		}}
		b, cfg := newBuilder(t, cloud, m), trivial()
		cfg.Sensitive = []string{secret}
		cfg.Output.Name, cfg.SSH.KeyPairName = "web "+secret, "key-"+secret
		cfg.Steps = append([]Step{Pause{Note: "wait for " + secret}, Run{Scripts: []provision.Script{{Name: secret + ".sh", Body: []byte("true")}}}}, cfg.Steps...)
		all := &sink{}
		b.OnEvent = func(e Event) { all.add(e) }
		b.Journal = all
		_, err := b.Build(t.Context(), cfg)
		time.Sleep(time.Hour)
		exit, ok := errors.AsType[*provision.ExitError](err)
		if !ok || exit.Tail != "no <sensitive>" {
			t.Errorf("the error is %v, with the tail %q", err, exit.Tail)
		}
		for _, said := range all.said {
			if strings.Contains(said, "hunter2") {
				t.Errorf("said: %s", said)
			}
		}
		if len(all.said) < 20 {
			t.Errorf("only %d things were said", len(all.said))
		}
	})
}

// sink keeps events and records as text.
type sink struct {
	mu   sync.Mutex
	said []string
}

func (s *sink) add(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, ok := v.(StageDone); ok && done.Err != nil { // %+v shows what is inside
		v = fmt.Sprintf("%s: %v", done.Stage, done.Err)
	}
	s.said = append(s.said, fmt.Sprintf("%T %+v", v, v))
}

func (s *sink) Record(r Record) error {
	s.add(r)
	return nil
}
