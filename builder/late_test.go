package builder

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

// sender keeps what it is asked to upload and download.
type sender struct {
	*fakeMachine
	sent []string
}

func (s *sender) Upload(_ context.Context, t provision.Tree, _ func(provision.Progress)) error {
	s.sent = append(s.sent, "up "+string(t.Content)+" "+t.Dest)
	return nil
}

func (s *sender) Download(_ context.Context, f provision.Fetch, _ func(provision.Progress)) error {
	s.sent = append(s.sent, "down "+f.Source)
	return nil
}

// TestLateSteps: a step that says something of the machine is made anew when that is there, with all that is known of it.
func TestLateSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &sender{fakeMachine: &fakeMachine{}}
		b, cfg := newBuilder(t, newFake(), m.fakeMachine), trivial()
		b.Dial = func(context.Context, string, provision.Identity) (Machine, error) { return m, nil }
		b.RunID = "run-1"
		b.OnEvent = func(e Event) {
			if n, ok := e.(Note); ok {
				m.sent = append(m.sent, n.Text)
			}
		}
		var got Facts
		cfg.Steps = []Step{
			Upload{Late: func(f Facts) (Upload, error) {
				got = f
				return Upload{Trees: []provision.Tree{{Content: []byte(f.ID), Dest: "/d"}}}, nil
			}},
			Download{Late: func(f Facts) (Download, error) {
				return Download{Files: []provision.Fetch{{Source: f.Host}}}, nil
			}},
			Pause{Note: "example", Late: func(f Facts) (Pause, error) { return Pause{Note: "ssh " + f.User}, nil }},
		}
		if _, err := b.Build(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"source image ami-0 (base)", "up i-1 /d", "down 192.0.2.1", "ssh admin"}, m.sent); diff != "" {
			t.Errorf("done (-want +got):\n%s", diff)
		}
		key, err := provision.ParseKey([]byte(got.PrivateKey))
		if err != nil || got.PublicKey == "" || key.Public[:20] != got.PublicKey[:20] {
			t.Errorf("keys %q and %q: %v", got.PrivateKey, got.PublicKey, err)
		}
		got.PrivateKey, got.PublicKey = "", ""
		want := Facts{ID: "i-1", Host: "192.0.2.1", Port: 22, User: "admin", Region: "us-east-1", RunID: "run-1", Source: got.Source}
		if diff := cmp.Diff(want, got); diff != "" || got.Source.ID != "ami-0" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
	})
}
