package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/imagobuild/imago/"

// allowed lists, for an import, the only packages of ours that may use it
// outside tests (DESIGN.md, "Layout").
var allowed = map[string]string{
	"github.com/aws/":                     "builder builder/deploy builder/gc builder/iam builder/internal/awserr builder/internal/awsquery builder/retention cmd/imago",
	"github.com/urfave/cli/":              "cmd/imago",
	"github.com/hashicorp/hcl/":           "builder/template builder/template/format builder/template/funcs builder/project e2e/corpus",
	"github.com/pkg/sftp":                 "provision",
	"golang.org/x/crypto/ssh":             "provision provision/provisiontest builder/localcloud builder/deploy", // a lease is a key pair, which nobody logs in with
	"github.com/vishvananda/":             "builder/localcloud/machine",
	"github.com/google/nftables":          "builder/localcloud/machine",
	"os/signal":                           "cmd/imago e2e/bench e2e/corpus e2e/load/loadgen e2e/serve",
	module + "provision":                  "builder builder/ansible builder/template builder/project cmd/imago provision/provisiontest e2e/bench",
	module + "builder/localcloud":         "cmd/imago e2e/bench", // the bench serves a cloud without machines
	module + "builder/localcloud/machine": "builder/localcloud e2e/bench",
	module + "builder/redact":             "builder builder/template cmd/imago",
	module + "scripts":                    "builder builder/project cmd/imago",
}

// TestImports holds the direction of dependencies: what a package may not know,
// it does not import.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports " "}}`, "../...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		pkg = strings.TrimPrefix(pkg, module)
		for imp := range strings.FieldsSeq(imports) {
			if users, ok := rule(imp); ok && !slices.Contains(strings.Fields(users), pkg) {
				t.Errorf("%s imports %s, which only %s may", pkg, imp, users)
			}
		}
	}
}

// rule finds the entry of allowed for an import: the exact one for our own
// packages, the longest matching prefix for others.
func rule(imp string) (users string, ok bool) {
	if strings.HasPrefix(imp, module) {
		users, ok = allowed[imp]
		return users, ok
	}
	longest := ""
	for prefix := range allowed {
		if strings.HasPrefix(imp, prefix) && len(prefix) > len(longest) {
			longest, ok = prefix, true
		}
	}
	return allowed[longest], ok
}
