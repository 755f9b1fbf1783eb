package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
)

// asking is a bake whose questions are answered from stdin.
func asking(stdin io.Reader) (*bake, *strings.Builder) {
	out, c := &strings.Builder{}, newClock()
	b := &bake{session: newSession(stdin, io.Discard, out)}
	b.view = newTestView(c, nil)
	b.view.out = &plain{w: out, format: layout{}.format, clean: b.view.clean, now: c.now}
	return b, out
}

func TestAsk(t *testing.T) {
	for stdin, want := range map[string]builder.Decision{
		"c\n": builder.DecideCleanUp, " A \n": builder.DecideAbort, "what\n\nr\n": builder.DecideRetry, "": builder.DecideCleanUp,
	} {
		b, out := asking(strings.NewReader(stdin))
		if got := b.ask(t.Context(), "web", errors.New("it broke")); got != want {
			t.Errorf("answered %q: %v, want %v", stdin, got, want)
		}
		question := "web: [c] clean up and end, [a] abort without clean-up, or [r] retry? "
		text := "==> web: it broke\n" + strings.Repeat(question, max(1, strings.Count(stdin, "\n")))
		if diff := cmp.Diff(text, out.String()); diff != "" {
			t.Errorf("answered %q (-want +got)\n%s", stdin, diff)
		}
	}
}

// TestAskCanceled: nobody waits for an answer when the build is canceled.
func TestAskCanceled(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	b, _ := asking(r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := b.ask(ctx, "web", errors.New("it broke")); got != builder.DecideCleanUp {
		t.Errorf("got %v, want DecideCleanUp", got)
	}
}

func TestPauseAt(t *testing.T) {
	b, out := asking(strings.NewReader("\n"))
	b.pauseAt(t.Context(), "web", builder.StageConnect)
	if want := "web: pausing before connect; press enter to go on "; out.String() != want {
		t.Errorf("got %q, want %q", out, want)
	}
}
