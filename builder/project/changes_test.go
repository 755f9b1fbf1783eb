package project_test

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

var changes = flag.Int("changes", 150, "how many random changes TestProjectChanges makes")

// anyImages is an account that has every image that is asked for by its id.
type anyImages struct{ builder.EC2 }

func (anyImages) DescribeImages(_ context.Context, in *ec2.DescribeImagesInput, _ ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	out := &ec2.DescribeImagesOutput{}
	for _, id := range in.ImageIds {
		out.Images = append(out.Images, types.Image{
			ImageId: aws.String(id), Name: aws.String("of " + id), State: types.ImageStateAvailable,
			RootDeviceType: types.DeviceTypeEbs, RootDeviceName: aws.String("/dev/xvda"),
			BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{SnapshotId: aws.String("snap-0")}}},
		})
	}
	return out, nil
}

// planner plans and bakes nothing.
func planner(cache string) *builder.Builder {
	return &builder.Builder{
		EC2: anyImages{}, Cache: cache,
		PublicAddress: func(context.Context) (netip.Addr, error) { return netip.MustParseAddr("198.51.100.7"), nil },
	}
}

// fingerprints reads the project, and plans primal and then carnivore on it, as imago bake does.
func (m *model) fingerprints(t *testing.T, dir, cache string) (primal, carnivore string) {
	t.Helper()
	p, err := project.Read(filepath.Join(dir, m.fileName), m.options(t))
	if err != nil {
		t.Fatal(err)
	}
	images, err := p.Select()
	if err != nil || len(images) != 2 || images[0].From != "" {
		t.Fatalf("%+v, %v", images, err)
	}
	from := ""
	var got []string
	for _, i := range images {
		tpl, err := p.Template(i, from, template.Options{Now: time.Unix(m.now, 0), Env: m.env})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := planner(cache).Plan(t.Context(), tpl.Builds[0].Config)
		if err != nil || plan.Fingerprint == "" {
			t.Fatalf("%q, %v", plan.Unknown, err)
		}
		got = append(got, plan.Fingerprint)
		from = "ami-" + plan.Fingerprint[:17] // the same image for the same fingerprint
	}
	return got[0], got[1]
}

// pairing holds what decides an image against its fingerprint: there is one of each for one of the other.
type pairing struct{ of, back map[string]string }

func (p *pairing) add(what, fingerprint string) error {
	if known, ok := p.of[what]; ok && known != fingerprint {
		return fmt.Errorf("the same image has another fingerprint:\n%s", what)
	}
	if known, ok := p.back[fingerprint]; ok && known != what {
		return fmt.Errorf("one fingerprint for\n%s\nand\n%s", known, what)
	}
	p.of[what], p.back[fingerprint] = fingerprint, what
	return nil
}

// TestProjectChanges: over many random changes of a project, the fingerprints of
// its images are others exactly when the images could be; and that of carnivore
// whenever primal's is.
func TestProjectChanges(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	m := newModel(rand.New(rand.NewPCG(seed, 0)))
	primal, carnivore := &pairing{map[string]string{}, map[string]string{}}, &pairing{map[string]string{}, map[string]string{}}
	mutations := m.mutations()
	names := slices.Sorted(maps.Keys(mutations))
	dir, cache := filepath.Join(t.TempDir(), "project"), t.TempDir()
	for i := range *changes {
		name := pick(m, names...)
		mutations[name]()
		if pick(m, 0, 1, 2) == 0 { // the project moves, or is checked out on another computer
			dir, cache = filepath.Join(t.TempDir(), fmt.Sprint("at", i)), pick(m, cache, t.TempDir(), "")
		}
		m.write(t, dir)
		first, second := m.fingerprints(t, dir, cache)
		if err := primal.add(m.primal(), first); err != nil {
			t.Fatalf("seed %d, change %d (%s): primal: %v", seed, i, name, err)
		}
		if err := carnivore.add(m.carnivore(), second); err != nil {
			t.Fatalf("seed %d, change %d (%s): carnivore: %v", seed, i, name, err)
		}
	}
	if len(primal.of) < min(*changes/75, 30) || len(carnivore.of) < *changes/25 { // few are drawn by chance alone
		t.Errorf("only %d different images primal and %d carnivore in %d changes", len(primal.of), len(carnivore.of), *changes)
	}
}

// pick takes one of several.
func pick[T any](m *model, all ...T) T { return all[m.rand.IntN(len(all))] }

// write makes the project's files, where they differ.
func (m *model) write(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := m.files()
	must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if _, ok := want[rel]; err == nil && !d.IsDir() && !ok {
			return os.Remove(path)
		}
		if os.IsNotExist(err) {
			return nil
		}
		return err
	}))
	for name, f := range want {
		path := filepath.Join(dir, name)
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		if f.link != "" {
			os.Remove(path) // or it is not there
			must(os.Symlink(f.link, path))
			continue
		}
		if have, err := os.ReadFile(path); err != nil || string(have) != f.text {
			must(os.WriteFile(path, []byte(f.text), 0o644))
		}
		must(os.Chmod(path, f.mode))
		if m.touch {
			must(os.Chtimes(path, time.Time{}, time.Unix(m.now, 0)))
		}
	}
}
