package e2e

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"
	"testing"
)

// maxBinary is what the binary may weigh.
const maxBinary = 40_000_000

// TestBinary: what make build makes is one static file, and not a big one.
func TestBinary(t *testing.T) {
	info, err := os.Stat(cloud.bin)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= maxBinary {
		t.Errorf("%d bytes; want less than %d (is an AWS client in an interface? see cmd/imago/calls.go)", info.Size(), maxBinary)
	}
	f, err := elf.Open(cloud.bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it is linked dynamically: %v", p.Type)
		}
	}
}

// maxInit is what all packages together may allocate before main, in bytes. A
// dependency that makes big tables there costs every command. Each AWS client has
// one of regions, of 80 kB and 0.1 ms, that nobody can do without.
const maxInit = 1_250_000

func TestStartsWithLittle(t *testing.T) {
	t.Setenv("GODEBUG", "inittrace=1")
	r := cloud.exec(t.Context(), "", "version")
	total, largest, owner := 0, 0, ""
	for line := range strings.Lines(r.stderr) {
		var name string
		var at, took float64
		var bytes int
		if _, err := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes", &name, &at, &took, &bytes); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		total += bytes
		if bytes > largest {
			largest, owner = bytes, name
		}
	}
	if total == 0 || total > maxInit {
		t.Errorf("packages allocate %d bytes before main, %s alone %d; want at most %d", total, owner, largest, maxInit)
	}
}
