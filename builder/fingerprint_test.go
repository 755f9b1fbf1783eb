package builder

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/provision"
)

var changes = flag.Int("changes", 300, "how many random changes TestFingerprintChanges makes")

// workshop is a project that changes at random.
type workshop struct {
	t    *testing.T
	rand *rand.Rand
	dir  string
	cfg  Config
}

func newWorkshop(t *testing.T, seed uint64) *workshop {
	w := &workshop{t: t, rand: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(t.TempDir(), "project")}
	for path, text := range map[string]string{
		"app/a": "1", "app/lib/b": "2", "app/lib/c": "3", "app/empty/d": "4", "site/index": "5", "one": "6", "solo/e": "7",
	} {
		w.must(os.MkdirAll(filepath.Dir(w.path(path)), 0o755))
		w.must(os.WriteFile(w.path(path), []byte(text), 0o644))
	}
	w.must(os.Symlink("a", w.path("app/link")))
	w.cfg = trivial()
	w.cfg.Steps = []Step{
		Run{Scripts: []provision.Script{{Name: "one.sh", Body: []byte("echo 1\n"), Env: []string{"A=1", "B=2"}}, {Name: "two.sh", Body: []byte("echo 2\n")}}},
		Upload{Trees: []provision.Tree{{Source: "app", Dest: "/srv"}, {Source: "site/", Dest: "/var/www"}}},
		Upload{Trees: []provision.Tree{{Source: "one", Dest: "/etc/one"}, {Content: []byte("x"), Dest: "/etc/two"}}},
		Pause{For: time.Second},
		Sequence{Name: "several", Steps: []Step{
			Upload{Trees: []provision.Tree{{Source: "app/lib/", Dest: "/srv/lib"}}},
			Run{Scripts: []provision.Script{{Name: "four.sh", Body: []byte("echo 4\n")}}},
			Upload{Trees: []provision.Tree{{Source: "one", Dest: "/etc/three"}, {Source: "solo", Dest: "/srv/solo"}}},
		}},
		Run{Scripts: []provision.Script{{Name: "three.sh", Body: []byte("echo 3\n")}}},
	}
	return w
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }

func (w *workshop) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// config is the project's Config as a template at another place would make it.
func (w *workshop) config() Config {
	cfg := w.cfg
	cfg.Steps = w.there(w.cfg.Steps)
	return cfg
}

// there are steps whose uploads come from where the project is.
func (w *workshop) there(steps []Step) (all []Step) {
	for _, s := range steps {
		switch step := s.(type) {
		case Upload:
			step.Trees = slices.Clone(step.Trees)
			for i, t := range step.Trees {
				if t.Source != "" {
					step.Trees[i].Source = w.dir + "/" + t.Source
				}
			}
			s = step
		case Sequence:
			step.Steps = w.there(step.Steps)
			s = step
		}
		all = append(all, s)
	}
	return all
}

// oracle says in plain words all that decides the image.
func (w *workshop) oracle() string {
	var b strings.Builder
	c := w.cfg
	fmt.Fprintf(&b, "%s %s %q %q %v %v %s\n", c.Source.ID, c.Instance.Type, c.Instance.UserData, c.Instance.Profile,
		c.Output.SRIOV, c.SSH.ClearAuthorizedKeys, c.SSH.User)
	for _, d := range c.Instance.BlockDevices {
		kind := d.VolumeType
		if kind == "" {
			kind = "gp3"
		}
		fmt.Fprintf(&b, "disk %s %s %d\n", d.DeviceName, kind, d.SizeGiB)
	}
	w.oracleSteps(&b, c.Steps)
	return b.String()
}

func (w *workshop) oracleSteps(b *strings.Builder, steps []Step) {
	for _, s := range steps {
		fmt.Fprintf(b, "step %v\n", s.Common().PauseBefore)
		switch s := s.(type) {
		case Run:
			for _, script := range s.Scripts {
				env := map[string]string{}
				for _, kv := range script.Env {
					k, v, _ := strings.Cut(kv, "=")
					env[k] = v
				}
				fmt.Fprintf(b, "run %q %q %q\n", strings.ReplaceAll(string(script.Body), "\r\n", "\n"), env, script.Command)
			}
		case Upload:
			for _, t := range s.Trees {
				w.oracleTree(b, t)
			}
		case Pause:
			fmt.Fprintf(b, "wait %v\n", s.For)
		case Sequence:
			fmt.Fprintln(b, "together")
			w.oracleSteps(b, s.Steps)
			fmt.Fprintln(b, "so far")
		}
	}
}

func (w *workshop) oracleTree(b *strings.Builder, t provision.Tree) {
	fmt.Fprintf(b, "to %s %v %q\n", t.Dest, t.Sudo, t.Content)
	if t.Source == "" {
		return
	}
	if !strings.HasSuffix(t.Source, "/") {
		fmt.Fprintf(b, "called %s\n", filepath.Base(t.Source))
	}
	w.must(filepath.WalkDir(w.path(t.Source), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(w.path(t.Source), path)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			fmt.Fprintf(b, "link %s %s\n", rel, target)
		case d.IsDir():
			fmt.Fprintf(b, "dir %s %v\n", rel, info.Mode())
		default:
			text, _ := os.ReadFile(path)
			fmt.Fprintf(b, "file %s %v %q\n", rel, info.Mode(), text)
		}
		return nil
	}))
}

// pick takes one of several.
func pick[T any](w *workshop, all ...T) T { return all[w.rand.IntN(len(all))] }

// file is one of the project's uploaded files.
func (w *workshop) file() string {
	var files []string
	w.must(filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	}))
	return pick(w, files...)
}

// changeRun changes one of the scripts.
func (w *workshop) changeRun(change func(*Run, *provision.Script)) {
	i := pick(w, 0, len(w.cfg.Steps)-1)
	run, ok := w.cfg.Steps[i].(Run)
	if !ok {
		return // it has been moved
	}
	run.Scripts = slices.Clone(run.Scripts)
	change(&run, &run.Scripts[w.rand.IntN(len(run.Scripts))])
	w.cfg.Steps = slices.Clone(w.cfg.Steps)
	w.cfg.Steps[i] = run
}

// mutations are by what they do; whether it counts is the oracle's to say.
func (w *workshop) mutations() map[string]func() {
	text := func() string { return pick(w, "1", "2", "3", "") }
	return map[string]func(){
		"write a file": func() { f := w.file(); w.must(os.WriteFile(f, []byte(text()), 0o644)) },
		"replace a file": func() {
			f := w.file()
			data, _ := os.ReadFile(f)
			w.must(os.Rename(f, f+"~"))
			w.must(os.WriteFile(f, data, 0o644))
			w.must(os.Remove(f + "~"))
		},
		"touch a file":  func() { w.must(os.Chtimes(w.file(), time.Time{}, time.Unix(w.rand.Int64N(1e9), 0))) },
		"change a mode": func() { w.must(os.Chmod(w.file(), pick[fs.FileMode](w, 0o644, 0o755, 0o600, 0o644|fs.ModeSetuid))) },
		"change the mode of a directory": func() {
			w.must(os.Chmod(w.path(pick(w, "app", "app/lib", "site")), pick[fs.FileMode](w, 0o755, 0o775)))
		},
		"make a directory":   func() { w.must(os.MkdirAll(w.path(pick(w, "app/new", "site/new", "elsewhere")), 0o755)) },
		"remove a directory": func() { w.must(os.RemoveAll(w.path(pick(w, "app/new", "site/new")))) },
		"rename a file": func() {
			os.Rename(w.path("app/lib/b"), w.path("app/lib/b2")) // or not, when it is away
		},
		"rename it back": func() { os.Rename(w.path("app/lib/b2"), w.path("app/lib/b")) },
		"turn a link": func() {
			w.must(os.Remove(w.path("app/link")))
			w.must(os.Symlink(pick(w, "a", "lib", "nowhere"), w.path("app/link")))
		},
		"move the project": func() {
			to := filepath.Join(w.t.TempDir(), fmt.Sprint(w.rand.IntN(1000)))
			w.must(os.Rename(w.dir, to))
			w.dir = to
		},
		"a script's text": func() { w.changeRun(func(_ *Run, s *provision.Script) { s.Body = []byte("echo " + text() + "\n") }) },
		"a script's line ends": func() {
			w.changeRun(func(_ *Run, s *provision.Script) {
				s.Body = []byte(strings.ReplaceAll(string(s.Body), "\n", pick(w, "\n", "\r\n")))
			})
		},
		"a script's name": func() {
			w.changeRun(func(_ *Run, s *provision.Script) { s.Name = pick(w, "one.sh", "two.sh", "/abs/three.sh") })
		},
		"a variable": func() {
			w.changeRun(func(_ *Run, s *provision.Script) { s.Env = []string{pick(w, "A=", "C=") + text(), "B=2"} })
		},
		"the order of variables": func() {
			w.changeRun(func(_ *Run, s *provision.Script) { s.Env = slices.Clone(s.Env); slices.Reverse(s.Env) })
		},
		"a variable said twice": func() {
			w.changeRun(func(_ *Run, s *provision.Script) { s.Env = append([]string{"A=older"}, s.Env...) })
		},
		"how a script is run": func() {
			w.changeRun(func(_ *Run, s *provision.Script) { s.Command = pick(w, "", "sudo sh {{.Path}}") })
		},
		"a pause": func() {
			w.changeRun(func(r *Run, _ *provision.Script) { r.PauseBefore = pick[time.Duration](w, 0, time.Second) })
		},
		"a place in the template": func() {
			w.changeRun(func(r *Run, _ *provision.Script) { r.Where = pick(w, "a.json:1", "b.json:2") })
		},
		"the order of scripts": func() { w.changeRun(func(r *Run, _ *provision.Script) { slices.Reverse(r.Scripts) }) },
		"the order of steps": func() {
			w.cfg.Steps = slices.Clone(w.cfg.Steps)
			i, j := w.rand.IntN(len(w.cfg.Steps)), w.rand.IntN(len(w.cfg.Steps))
			w.cfg.Steps[i], w.cfg.Steps[j] = w.cfg.Steps[j], w.cfg.Steps[i]
		},
		"the source image": func() { w.cfg.Source.ID = pick(w, "ami-0", "ami-00") },
		"instance type":    func() { w.cfg.Instance.Type = pick(w, "t3.micro", "m7g.large") },
		"user-data":        func() { w.cfg.Instance.UserData = []byte(text()) },
		"disks": func() {
			w.cfg.Instance.BlockDevices = []BlockDevice{{DeviceName: "/dev/sdf", VolumeType: pick(w, "", "gp3", "gp2"), SizeGiB: pick(w, 1, 2)}}
		},
		"profile":          func() { w.cfg.Instance.Profile = pick(w, "", "reader") },
		"authorized keys":  func() { w.cfg.SSH.ClearAuthorizedKeys = pick(w, true, false) },
		"networking":       func() { w.cfg.Output.SRIOV = pick(w, true, false) },
		"the image's name": func() { w.cfg.Output.Name = fmt.Sprint("web ", w.rand.IntN(1000)) },
		"description, tags": func() {
			w.cfg.Output.Description = text()
			w.cfg.Output.Tags = map[string]string{"A": text()}
			w.cfg.Instance.Tags = map[string]string{"B": text()}
		},
		"who may use it": func() { w.cfg.Output.Users = []string{text() + "11122223333"}; w.cfg.Output.Groups = []string{"all"} },
		"waits and network": func() {
			w.cfg.SSH.Timeout = time.Duration(w.rand.IntN(9)) * time.Hour
			w.cfg.Network.SourceCIDRs = []string{"192.0.2.0/24"}
			w.cfg.Instance.EBSOptimized = pick(w, true, false)
		},
	}
}

// fingerprint plans the project, with a memory and without one.
func (w *workshop) fingerprint(b *Builder, cache string) string {
	w.t.Helper()
	var got [2]string
	for i, dir := range []string{cache, ""} {
		b.Cache = dir
		p, err := b.Plan(context.Background(), w.config())
		w.must(err)
		got[i] = p.Fingerprint
	}
	if got[0] != got[1] || got[0] == "" {
		w.t.Fatalf("fingerprint %q with what is remembered, and %q without", got[0], got[1])
	}
	return got[0]
}

// TestFingerprintChanges: over many random changes of a project, the
// fingerprint is another one exactly when the image could be.
func TestFingerprintChanges(t *testing.T) {
	cloud := newFake()
	other := cloud.images["ami-0"]
	id := "ami-00"
	other.ImageId = &id
	cloud.images[id] = other
	b := newBuilder(t, cloud, &fakeMachine{})
	seed := uint64(time.Now().UnixNano())
	w := newWorkshop(t, seed)
	cache := t.TempDir()
	names := slices.Sorted(maps.Keys(w.mutations()))
	seen := map[string]string{w.oracle(): w.fingerprint(b, cache)} // what decides an image, and its fingerprint
	back := map[string]string{}
	for what, f := range seen {
		back[f] = what
	}
	for i := range *changes {
		name := pick(w, names...)
		w.mutations()[name]()
		what, f := w.oracle(), w.fingerprint(b, cache)
		if known, ok := seen[what]; ok && known != f {
			t.Fatalf("seed %d, change %d (%s): the same image has another fingerprint:\n%s", seed, i, name, what)
		}
		if known, ok := back[f]; ok && known != what {
			t.Fatalf("seed %d, change %d (%s): one fingerprint for\n%s\nand\n%s", seed, i, name, known, what)
		}
		seen[what], back[f] = f, what
	}
	if len(seen) < *changes/10 {
		t.Errorf("only %d different images in %d changes", len(seen), *changes)
	}
}

// TestFingerprintSecrets: a secret counts, and no digest that is kept anywhere is of it itself.
func TestFingerprintSecrets(t *testing.T) {
	plan := func(value string, secrets ...string) Plan {
		cfg := trivial()
		cfg.Sensitive = secrets
		cfg.Steps = []Step{Run{Scripts: []provision.Script{{Name: "a.sh", Body: []byte("login " + value), Env: []string{"KEY=" + value}, Command: "x " + value}}}}
		p, err := newBuilder(t, newFake(), &fakeMachine{}).Plan(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one, again, two := plan("hunter2", "hunter2", "hunter"), plan("hunter2", "hunter", "hunter2", "absent"), plan("hunter3", "hunter3")
	open := plan("hunter2")
	if one.Fingerprint != again.Fingerprint || one.Fingerprint == two.Fingerprint {
		t.Errorf("fingerprints %q, %q of the same and %q of another secret", one.Fingerprint, again.Fingerprint, two.Fingerprint)
	}
	for i, in := range one.Parts[fixedParts].Inputs {
		if in.Name != "kind" && in.Digest == open.Parts[fixedParts].Inputs[i].Digest {
			t.Errorf("%s: the digest is that of the secret in the open", in.Name)
		}
	}
}

// TestNoFingerprint: what cannot be known before has none, and says why.
func TestNoFingerprint(t *testing.T) {
	for want, s := range map[string]Step{
		"t.json:7: run make.sh here: it runs on this side, where it may do anything":                      Local{Name: "make.sh"},
		"t.json:7: download a to b: it brings something from the machine, which a reused image would not": Download{Files: []provision.Fetch{{Source: "a", Dest: "b"}}},
		"t.json:7: upload out to /out: an earlier step makes what it uploads":                             Upload{Generated: true, Trees: []provision.Tree{{Source: "out", Dest: "/out"}}},
		"t.json:7: run late.sh: it says something of the temporary machine":                               Run{Late: func(Facts) ([]provision.Script, error) { return nil, nil }, Scripts: []provision.Script{{Name: "late.sh"}}},
		"t.json:7: run both: it says something of the temporary machine":                                  Sequence{Name: "both", Steps: []Step{Pause{For: 1}, Run{Late: func(Facts) ([]provision.Script, error) { return nil, nil }}}},
		"t.json:7: breakpoint: somebody wants to look at the machine":                                     Pause{},
	} {
		cfg := trivial()
		cfg.Steps = append(cfg.Steps, placed(s))
		p, err := newBuilder(t, newFake(), &fakeMachine{}).Plan(t.Context(), cfg)
		if err != nil || p.Fingerprint != "" || !slices.Equal(p.Unknown, []string{want}) {
			t.Errorf("fingerprint %q, %q, %v; want none and %q", p.Fingerprint, p.Unknown, err, want)
		}
	}
}

// placed puts a step at line 7 of t.json.
func placed(s Step) Step {
	o := StepOptions{Where: "t.json:7"}
	switch s := s.(type) {
	case Local:
		s.StepOptions = o
		return s
	case Download:
		s.StepOptions = o
		return s
	case Upload:
		s.StepOptions = o
		return s
	case Run:
		s.StepOptions = o
		return s
	case Pause:
		s.StepOptions = o
		return s
	case Sequence:
		s.StepOptions = o
		return s
	}
	return s
}

// TestFingerprintIsStable holds fingerprints to what earlier versions said: when
// this fails, every image is baked anew. If that is meant, raise fingerprintVersion.
func TestFingerprintIsStable(t *testing.T) {
	cfg := trivial()
	cfg.Instance.BlockDevices = []BlockDevice{{DeviceName: "/dev/sdf", SizeGiB: 3}}
	cfg.Sensitive = []string{"hunter2"}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("contents\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg.Steps = append(cfg.Steps,
		Upload{Trees: []provision.Tree{{Source: file, Dest: "/srv/"}, {Content: []byte("x"), Dest: "/etc/x"}}},
		Run{Scripts: []provision.Script{{Name: "b.sh", Body: []byte("true\r\n"), Env: []string{"B=2", "A=hunter2"}, ValidExitCodes: []int{3, 0}}}},
	)
	p, err := newBuilder(t, newFake(), &fakeMachine{}).Plan(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, part := range p.Parts[sourcePart:] { // the first is of imago itself
		got = append(got, short(part.Digest))
	}
	if want := []string{"c317f8fc", "2da6d0c7", "0cc5ed63", "1d672ae1", "f19c8b5e"}; !slices.Equal(got, want) {
		t.Errorf("digests %q, want %q", got, want)
	}
}

// TestSecretsStay: no secret is in what is kept of a build, here and in AWS.
func TestSecretsStay(t *testing.T) {
	const secret = "hunter2hunter2"
	cloud, cache := newFake(), t.TempDir()
	b := newBuilder(t, cloud, &fakeMachine{upload: func() error { return nil }})
	b.Cache = cache
	cfg := trivial()
	cfg.Sensitive = []string{secret}
	cfg.Steps = []Step{
		Run{Scripts: []provision.Script{{Name: "say " + secret, Body: []byte(secret), Env: []string{"A=" + secret}, Command: secret}}},
		Upload{Trees: []provision.Tree{{Content: []byte(secret), Dest: "/srv/" + secret}}},
	}
	if _, err := b.Build(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprint(toMap(cloud.images["ami-1"].Tags))
	kept := 0
	err := filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kept++
		data, err := os.ReadFile(path)
		told += string(data)
		return err
	})
	if err != nil || kept == 0 || strings.Contains(told, secret) {
		t.Errorf("%d files, %v, with the secret: %s", kept, err, told)
	}
}

func toMap(tags []types.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all[*t.Key] = *t.Value
	}
	return all
}

// TestFingerprintOfSequence: each file that one of several steps sends counts, and the order of the steps does.
func TestFingerprintOfSequence(t *testing.T) {
	dir := t.TempDir()
	var trees []provision.Tree
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		trees = append(trees, provision.Tree{Source: filepath.Join(dir, name), Dest: "/srv/" + name})
	}
	print := func(steps ...Step) string {
		cfg := trivial()
		cfg.Steps = []Step{Sequence{Steps: steps}}
		p, err := newBuilder(t, newFake(), &fakeMachine{}).Plan(t.Context(), cfg)
		if err != nil || p.Fingerprint == "" {
			t.Fatal(err, p.Unknown)
		}
		return p.Fingerprint
	}
	one, two := Upload{Trees: trees[:1]}, Upload{Trees: trees[1:]}
	seen := map[string]string{print(one, two): "at first", print(two, one): "another order", print(Upload{Trees: trees}): "one upload"}
	for _, tree := range trees {
		if err := os.WriteFile(tree.Source, []byte("changed"), 0o644); err != nil {
			t.Fatal(err)
		}
		seen[print(one, two)] = tree.Dest
	}
	if len(seen) != 6 {
		t.Errorf("%d fingerprints for 6 images: %v", len(seen), seen)
	}
}
