// Command bench runs imago and Packer in turn on the same local cloud, and
// tar, rsync and scp beside them, and says what each took. It needs root, and
// the programs that `make bench` installs.
//
//	go run ./e2e/bench -rows many,scripts10 -links 0,80ms,80ms@50 -n 5
//	go run ./e2e/bench merge README.md A/bench.json B/bench.json
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/imagobuild/imago/provision"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	rows, links, imago, packer, dir, out, readme string
	n, packerN                                   int
	limit, calm                                  time.Duration
	command                                      string // that measures the same
}

func command(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "put" {
		return put(ctx, args[1:])
	}
	if len(args) > 0 && args[0] == "merge" {
		return merge(args[1:])
	}
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&s.rows, "rows", "many,flat300:80ms,medium:0+20ms+80ms,big:0+80ms,scale,scripts10:80ms,instant,nothing,validate", "what to measure, with links of its own behind a colon: big:0+80ms; there are states7, states20 and states240, too")
	flags.StringVar(&s.links, "links", "0,20ms,80ms,80ms@50", "round trips to the machine, with @N at N Mbit/s")
	flags.IntVar(&s.n, "n", 5, "repetitions")
	flags.IntVar(&s.packerN, "packer-n", 1, "repetitions of packer in the states rows, where a bake of its takes up to six minutes")
	flags.DurationVar(&s.limit, "limit", 2*time.Hour, "start no further run after this time")
	flags.DurationVar(&s.calm, "quiet", 20*time.Second, "wait at most so long, before each run, for the computer to be idle")
	flags.StringVar(&s.imago, "imago", "bin/imago", "imago's binary")
	flags.StringVar(&s.packer, "packer", "packer", "Packer's binary")
	flags.StringVar(&s.dir, "dir", filepath.Join(os.TempDir(), "imago-bench"), "scratch directory; its trees are kept for the next time")
	flags.StringVar(&s.out, "out", "", "directory for bench.json, bench.md and bench.svg; default: the scratch directory")
	flags.StringVar(&s.readme, "readme", "", "file whose block between two marks becomes the short table")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	s.command = again(flags)
	return measure(ctx, s)
}

// again is the command that measures the same on another computer: without this one's paths.
func again(flags *flag.FlagSet) string {
	var words []string
	flags.Visit(func(f *flag.Flag) {
		if f.Name == "rows" || f.Name == "links" || f.Name == "n" {
			words = append(words, "-"+f.Name+" "+f.Value.String())
		}
	})
	if len(words) == 0 {
		return "make bench"
	}
	return "make bench BENCH='" + strings.Join(words, " ") + "'"
}

func measure(ctx context.Context, s settings) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("the local cloud makes real machines and needs root: sudo make bench")
	}
	links, err := parseLinks(s.links, ",")
	if err != nil {
		return err
	}
	b, err := openBench(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var rows []row
	for _, name := range strings.Split(s.rows, ",") {
		over := links
		name, own, has := strings.Cut(name, ":")
		if has {
			if over, err = parseLinks(own, "+"); err != nil {
				return err
			}
		}
		more, err := b.rowsOf(name, over)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	fmt.Fprintln(os.Stderr, b.forecast(rows))
	return b.report(b.runAll(ctx, rows))
}

// lookUp makes the paths of the programs absolute, and names all that are missing.
func (s *settings) lookUp() error {
	var errs []error
	for _, name := range []*string{&s.imago, &s.packer} {
		path, err := exec.LookPath(*name)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		*name, errs = path, append(errs, err)
	}
	for _, name := range []string{"ssh", "scp", "tar", "rsync", "aws"} {
		_, err := exec.LookPath(name)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w\nmake bench builds imago and installs the others with apt", err)
	}
	return nil
}

// put is one upload by imago's library, connecting included: what tar, rsync
// and scp are compared with. It runs as a process of its own, and says when the
// connecting is over.
func put(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return errors.New("usage: bench put ADDR KEYFILE SOURCE DEST")
	}
	key, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	// Any host key, as for the programs beside it: the machine is one of our own.
	h, err := provision.Dial(ctx, args[0], provision.Identity{
		User: baseUser, Keys: [][]byte{key}, HostKey: provision.HostKey{Insecure: true}})
	if err != nil {
		return err
	}
	defer h.Close()
	fmt.Println("connected")
	if err := h.Upload(ctx, provision.Tree{Source: args[2], Dest: args[3]}, nil); err != nil {
		return err
	}
	fmt.Println("uploaded")
	return nil
}
