package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder/deploy"
)

// rollout shows what happens to an environment: on a terminal a table that is
// redrawn in place, elsewhere a line for each change; with --json also an object a line on stdout.
type rollout struct {
	s      *session
	name   string // of the environment
	format func(line) string
	board  *board // nil: no terminal
	json   bool
	now    func() time.Time

	mu             sync.Mutex
	began          time.Time
	said           time.Time // the last line
	step, text     string
	table          []deploy.Serving
	probes, failed int
}

// rolledEvent is an event as --json has it.
type rolledEvent struct {
	Type string `json:"type"` // event
	deploy.Event
}

func (g *stage) newRollout() *rollout {
	now := time.Now()
	r := &rollout{s: g.session, name: g.env.Name, format: layout{}.format, json: g.options.json, now: time.Now, began: now, said: now}
	if g.lively() && !r.json { // stdout may be on the same terminal
		r.format = layout{colours: buildColours([]string{g.env.Name})}.format
		r.board = &board{w: g.stderr, width: g.width}
	}
	return r
}

// watched does something to an environment, and shows it.
func (g *stage) watched(ctx context.Context, verb string, do func(context.Context) error) error {
	r, finish := g.newRollout(), g.command(verb)
	g.deploy.Notify = func(e deploy.Event) {
		if e.Change {
			g.halfway.Store(&finish)
		}
		r.event(e)
	}
	defer g.halfway.Store(nil)
	defer g.show(r.aside)()
	ticking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer r.close()
	defer stop()
	go r.run(ticking)
	if r.board != nil {
		go r.look(ticking, g)
	}
	return plainly(ctx, do(ctx))
}

func (r *rollout) run(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.tick()
		}
	}
}

// lookEach is how often the table is read anew. What the events tell comes at once.
const lookEach = 3 * time.Second

// look reads how all releases are, until ctx ends.
func (r *rollout) look(ctx context.Context, g *stage) {
	ticker := time.NewTicker(lookEach)
	defer ticker.Stop()
	for {
		st, err := g.deploy.Status(ctx, g.env)
		if err == nil {
			r.know(st)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// know takes in how all releases are.
func (r *rollout) know(st deploy.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table = slices.Concat(st.Warm, st.Unfinished)
	if st.Serving != nil {
		r.table = append(r.table, *st.Serving)
	}
	slices.SortFunc(r.table, newestFirst)
}

func newestFirst(a, b deploy.Serving) int { return int(b.Number - a.Number) }

// event shows something that was done or seen.
func (r *rollout) event(e deploy.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.json {
		r.s.writeLine(rolledEvent{"event", e})
	}
	above := ""
	if e.Step != r.step {
		above += r.line(heading, e.Step)
	}
	if e.Change || e.Text != r.text {
		above += r.line(detail, e.Text)
	}
	r.step, r.text = e.Step, e.Text
	for _, s := range e.Table {
		r.learn(s)
	}
	if e.Probes > 0 {
		r.probes, r.failed = e.Probes, e.Failed
	}
	r.draw(above)
}

// learn takes in how many machines a release has now.
func (r *rollout) learn(s deploy.Serving) {
	i := slices.IndexFunc(r.table, func(t deploy.Serving) bool { return t.Number == s.Number })
	if i < 0 {
		r.table = append(r.table, s)
		slices.SortFunc(r.table, newestFirst)
		return
	}
	t := &r.table[i]
	t.Desired, t.InService, t.Healthy = s.Desired, s.InService, s.Healthy
}

func (r *rollout) line(k kind, text string) string {
	return r.format(line{r.name, k, cleanLine(text, r.s.secrets.Clean)}) + "\n"
}

// draw writes lines, and the table anew below them on a terminal.
func (r *rollout) draw(above string) {
	if above != "" {
		r.said = r.now()
	}
	if r.board != nil {
		r.board.draw(above, r.rows())
	} else if above != "" {
		fmt.Fprint(r.s.stderr, above)
	}
}

// tick keeps the table's time going, and breaks a long silence.
func (r *rollout) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	above := ""
	if r.board == nil && r.now().Sub(r.said) >= silence {
		above = r.line(detail, "... "+r.status())
	}
	r.draw(above)
}

// status is how far it is, in a line.
func (r *rollout) status() string {
	text := fmt.Sprintf("%s, %s", r.step, r.now().Sub(r.began).Truncate(time.Second))
	if r.text != "" {
		text += ", " + r.text
	}
	if r.probes > 0 {
		text += fmt.Sprintf(", %s, %d failed", plural(r.probes, "probe"), r.failed)
	}
	return text
}

// rows is the table: how far it is, and a row for each release.
func (r *rollout) rows() []string {
	elapsed := r.now().Sub(r.began).Truncate(time.Second)
	rows := []string{r.s.secrets.Clean(fmt.Sprintf(" %02d:%02d %s: %s ", int(elapsed.Minutes()), int(elapsed.Seconds())%60, r.name, r.status()))}
	if len(r.table) == 0 {
		return rows
	}
	rows = append(rows, fmt.Sprintf("   %-9s %-22s %7s %10s %7s %7s ", "release", "image", "desired", "in service", "healthy", "traffic"))
	for _, s := range r.table {
		rows = append(rows, fmt.Sprintf("   %-9d %-22s %7d %10d %7d %7s ", s.Number, s.Image, s.Desired, s.InService, s.Healthy, trafficOf(s, r.table)))
	}
	return rows
}

// trafficOf is how much of the traffic a release has.
func trafficOf(s deploy.Serving, all []deploy.Serving) string {
	sum := int32(0)
	for _, one := range all {
		sum += one.Weight
	}
	if s.Weight == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", 100*s.Weight/sum)
}

// aside takes the table away while somebody else writes.
func (r *rollout) aside(write func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.board != nil {
		r.board.draw("", nil)
	}
	write()
	r.draw("")
}

func (r *rollout) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.board != nil {
		r.board.draw("", nil)
	}
}

// writeLine writes v to stdout as an object on one line, without secrets.
func (s *session) writeLine(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout, s.secrets.Clean(string(text)))
	return err
}
