package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/imagobuild/imago/builder"
)

// errorActions are the values of --on-error.
var errorActions = map[string]builder.OnError{
	"cleanup":                 builder.CleanUp,
	"abort":                   builder.Abort,
	"ask":                     builder.Ask,
	"run-cleanup-provisioner": builder.Abort,
}

// ask lets the user decide what becomes of a failed build.
func (b *bake) ask(ctx context.Context, name string, err error) builder.Decision {
	for _, p := range problems(err) {
		b.view.say(name, failure, p)
	}
	for {
		answer, ok := b.question(ctx, fmt.Sprintf("%s: [c] clean up and end, [a] abort without clean-up, or [r] retry? ", name))
		switch strings.ToLower(answer) {
		case "c":
			return builder.DecideCleanUp
		case "a":
			return builder.DecideAbort
		case "r":
			return builder.DecideRetry
		}
		if !ok { // nobody there any more
			return builder.DecideCleanUp
		}
	}
}

// pauseAt waits for the user before a stage (-debug). It goes on when nobody is there any more.
func (b *bake) pauseAt(ctx context.Context, name string, next builder.Stage) {
	b.question(ctx, fmt.Sprintf("%s: pausing before %s; press enter to go on ", name, next))
}

// breakpoint waits for the user at a breakpoint provisioner.
func (b *bake) breakpoint(ctx context.Context, name, note string) {
	if note == "" {
		note = "breakpoint"
	}
	b.question(ctx, fmt.Sprintf("%s: %s; press enter to go on ", name, note))
}

// question asks on the terminal, one question at a time, and waits for a line or the end of ctx.
func (b *bake) question(ctx context.Context, text string) (answer string, ok bool) {
	b.asking.Lock()
	defer b.asking.Unlock()
	defer b.view.pause()()
	fmt.Fprint(b.stderr, text)
	b.stderr.Flush()
	select {
	case line, open := <-b.answers.from(b.stdin):
		return strings.TrimSpace(line), open
	case <-ctx.Done():
		fmt.Fprintln(b.stderr)
		return "", false
	}
}

// answers reads lines from somewhere in the background, so that a question can be given up.
type answers struct {
	once sync.Once
	ch   chan string
}

func (a *answers) from(r io.Reader) <-chan string {
	a.once.Do(func() {
		a.ch = make(chan string)
		go func() {
			defer close(a.ch)
			for in := bufio.NewScanner(r); in.Scan(); {
				a.ch <- in.Text()
			}
		}()
	})
	return a.ch
}
