package template

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// Limits of one file, which keep what it says from taking all memory: HCL's reader
// recurses as deep as a text nests, and takes numbers of any size.
const (
	maxFile      = 1 << 20
	maxNesting   = 500
	maxExponent  = 4 // digits
	maxOperators = 10_000
)

// isHCL says whether a path names an HCL2 template.
func isHCL(path string) bool {
	if strings.HasSuffix(path, ".hcl") || strings.HasSuffix(path, ".pkr.json") {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readFiles reads the files of the template.
func (m *module) readFiles() []hcl.Body {
	names := []string{m.path}
	m.base = filepath.Dir(m.path)
	if info, err := os.Stat(m.local(m.path)); err == nil && info.IsDir() {
		m.base, m.dir = m.path, m.local(m.path)
		names = m.list(".pkr.hcl", ".pkr.json")
		if len(names) == 0 {
			m.problems.add(m.path, pos{}, "the directory has no file called *.pkr.hcl or *.pkr.json")
		}
		m.o.VarFiles = append(m.list(".auto.pkrvars.hcl", ".auto.pkrvars.json"), m.o.VarFiles...)
	}
	var bodies []hcl.Body
	for _, name := range names {
		if body := m.readFile(name); body != nil {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// list names the files of the template's directory with one of the endings, in order.
func (m *module) list(endings ...string) []string {
	entries, err := os.ReadDir(m.local(m.base))
	if err != nil {
		m.problems.add(m.path, pos{}, "the directory %s", reason(err))
	}
	var names []string
	for _, e := range entries {
		ends := func(ending string) bool { return strings.HasSuffix(e.Name(), ending) }
		if !e.IsDir() && slices.ContainsFunc(endings, ends) {
			names = append(names, m.beside(e.Name()))
		}
	}
	return names
}

// readFile reads one file, of a template or of variables, and returns nil when it cannot be understood.
func (m *module) readFile(name string) hcl.Body {
	data, err := m.source(name)
	if err != nil {
		m.problems.add(name, pos{}, "the file %s", reason(err))
		return nil
	}
	m.problems.sources[name] = data
	if !m.bounded(name, data) {
		return nil
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(name, ".json") {
		file, diags = json.Parse(data, name)
	} else {
		file, diags = hclsyntax.ParseConfig(data, name, hcl.InitialPos)
	}
	m.diagnose(diags)
	if file == nil || diags.HasErrors() {
		return nil
	}
	return file.Body
}

// bounded refuses a file that HCL's reader would take too much memory for.
func (m *module) bounded(name string, data []byte) bool {
	why := ""
	if len(data) > maxFile {
		why = fmt.Sprintf("has %d bytes, and may have %d", len(data), maxFile)
	} else {
		why = tooMuch(data)
	}
	if why != "" {
		m.problems.add(name, pos{}, "the file %s", why)
	}
	return why == ""
}

// tooMuch says what in a text would take too much memory, or nothing.
func tooMuch(data []byte) string {
	if deep(data) {
		return fmt.Sprintf("is nested deeper than %d levels", maxNesting)
	}
	return excessive(data)
}

// deep looks for nesting without understanding the text: brackets that are open, operators in a row.
func deep(data []byte) bool {
	open, row := 0, 0
	for _, c := range data {
		switch c {
		case '(', '[', '{':
			open++
			row = 0
		case ')', ']', '}':
			open = max(open-1, 0)
			row = 0
		case '!', '-', '?':
			row++
		case ' ', '\t', '\r', '\n':
		default:
			row = 0
		}
		if open > maxNesting || row > 4*maxNesting {
			return true
		}
	}
	return false
}

// excessive says what in data would take all memory or time: numbers such as 1e100000, whose digits fill the memory when
// they become text, and operators by the ten thousand, on each of which the reader recurses. The tokens are looked at only
// when there is something like it: it may stand in a string, such as a digest.
func excessive(data []byte) string {
	operators := 0
	for _, c := range data {
		if strings.IndexByte("?+*/%&|<>=!-{", c) >= 0 {
			operators++
		}
	}
	if operators <= maxOperators && !hugeText(data) {
		return ""
	}
	operators = 0
	tokens, _ := hclsyntax.LexConfig(data, "", hcl.InitialPos)
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenNumberLit:
			if hugeText(t.Bytes) {
				return fmt.Sprintf("holds a number with an exponent of more than %d digits", maxExponent)
			}
		case hclsyntax.TokenQuestion, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent,
			hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenLessThan, hclsyntax.TokenGreaterThan, hclsyntax.TokenLessThanEq,
			hclsyntax.TokenGreaterThanEq, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenBang, hclsyntax.TokenMinus,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenTemplateInterp:
			if operators++; operators > maxOperators {
				return fmt.Sprintf("holds more than %d operators", maxOperators)
			}
		}
	}
	return ""
}

func hugeText(data []byte) bool {
	for {
		i := bytes.IndexAny(data, "eE")
		if i < 0 {
			return false
		}
		data = data[i+1:]
		digits := bytes.TrimLeft(data, "+-")
		if n := len(digits) - len(bytes.TrimLeft(digits, "0123456789")); n > maxExponent {
			return true
		}
	}
}
