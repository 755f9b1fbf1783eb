// Command corpus runs imago over a folder of real Packer templates, of which
// Packer's verdicts are known, and says where the two differ. It is not part of
// make test, because it needs the folder.
//
//	go run ./e2e/corpus FOLDER
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const help = `Usage: go run ./e2e/corpus [flags] FOLDER

Runs "imago validate -syntax-only", "inspect" and "validate" over every template of FOLDER
and compares with what Packer said of it: 1.16.0, or 1.6.6 where a JSON template has Ansible
provisioners, which 1.16.0 has not built in. Prints a table of agreement by family, and every
difference with both messages. accepted.tsv beside this program says which differences are on
purpose, and why. "inspect" of JSON is compared line by line with Debian's packer, if that is there.

FOLDER/index.tsv names the templates: kind, id, run_cwd, template, args, args_filled, scope,
comparable, and the exit codes syntax, inspect, validate, filled, with _166 those of 1.6.6.

Exit code 1: something differs without a reason.

Flags:
`

// errDiffers ends the program with exit code 1; what differs is printed already.
var errDiffers = errors.New("something differs without a reason")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	folder, imago, packer, only string
	all, bake                   bool
	runs, atOnce                int
}

func command(ctx context.Context, args []string) error {
	var s settings
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, help); flags.PrintDefaults() }
	flags.StringVar(&s.imago, "imago", "", "imago's `binary`; by default it is built from this source")
	flags.StringVar(&s.packer, "packer", "/usr/bin/packer", "Debian's packer 1.6.6, whose inspect is compared; none if the `file` is not there")
	flags.StringVar(&s.only, "only", "", "only these templates: `json/012,hcl/101`")
	flags.BoolVar(&s.all, "all", false, "print the differences with an accepted reason in full, too")
	flags.IntVar(&s.runs, "n", 20, "how often the largest configuration is validated to see what that costs; 0: not at all")
	flags.BoolVar(&s.bake, "bake", false, "bake every template in scope that has all its inputs on the local cloud, with stubs for its scripts (as root)")
	flags.IntVar(&s.atOnce, "at-once", 2, "how many are baked at once")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return errors.New("name the folder of templates")
	}
	s.folder = flags.Arg(0)
	return s.run(ctx)
}

func (s settings) run(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "imago-corpus-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if s.imago == "" {
		s.imago = filepath.Join(scratch, "imago")
		if err := build(ctx, s.imago); err != nil {
			return err
		}
	}
	entries, err := readIndex(s.folder, s.only)
	if err != nil {
		return err
	}
	p := program{imago: s.imago, packer: s.packer, home: scratch}
	if !s.bake {
		return s.compare(ctx, p, entries)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	p.cache = cmp.Or(os.Getenv("IMAGO_CACHE_DIR"), filepath.Join(cache, "imago"))
	if failed, err := p.bakes(ctx, os.Stdout, entries, s.atOnce); err != nil || failed {
		return errors.Join(err, errDiffers)
	}
	return nil
}

// build makes imago's binary out of the source that this program belongs to.
func build(ctx context.Context, bin string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "urfave_cli_no_docs", "-o", bin, "github.com/imagobuild/imago/cmd/imago")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build imago: %w\n%s", err, out)
	}
	return nil
}

// compare holds imago's verdicts against Packer's.
func (s settings) compare(ctx context.Context, p program, entries []entry) error {
	reasons, err := acceptedReasons()
	if err != nil {
		return err
	}
	verdicts := make([][]verdict, len(entries))
	err = each(ctx, runtime.NumCPU(), len(entries), func(ctx context.Context, i int) (err error) {
		verdicts[i], err = p.judge(ctx, entries[i], reasons)
		return err
	})
	if err != nil {
		return err
	}
	r := report{all: s.all}
	for i, e := range entries {
		for _, v := range verdicts[i] {
			r.add(e, v)
		}
	}
	r.print(os.Stdout)
	if s.runs > 0 {
		if err := p.cost(ctx, os.Stdout, entries, s.runs); err != nil {
			return err
		}
	}
	if r.differs() {
		return errDiffers
	}
	return nil
}

// listed splits a list at its commas.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
