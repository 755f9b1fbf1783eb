package format

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// TestLayOut holds the layout against hclwrite's, which packer fmt uses: for every
// construct of the language, and the same with blanks put in and taken out anywhere.
func TestLayOut(t *testing.T) {
	src, err := os.ReadFile("testdata/seeds.hcl")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	check := func(src []byte) {
		t.Helper()
		_, diags := hclsyntax.ParseConfig(src, "x", hcl.InitialPos)
		for _, d := range diags {
			if d.Summary != "Attribute redefined" {
				return // not HCL any more
			}
		}
		checked++
		if got, want := layOut(src), hclwrite.Format(src); !bytes.Equal(got, want) {
			t.Fatalf("other than hclwrite:\n%s\nof\n%s", Diff("x", want, got), src)
		}
	}
	check(src)
	random := rand.New(rand.NewPCG(1, 2))
	lines := bytes.SplitAfter(src, []byte("\n"))
	for range 3000 {
		at := random.IntN(len(lines))
		check(shake(random, bytes.Join(lines[at:min(len(lines), at+1+random.IntN(12))], nil)))
	}
	if checked < 500 {
		t.Errorf("only %d texts were HCL", checked)
	}
}

// shake puts some blanks and line ends in and takes others out.
func shake(random *rand.Rand, src []byte) []byte {
	var out []byte
	for _, c := range src {
		switch random.IntN(30) {
		case 0:
			out = append(out, ' ')
		case 1:
			out = append(out, "\n"[:random.IntN(2)]...)
		case 2:
			if c == ' ' || c == '\n' {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}
