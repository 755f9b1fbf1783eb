package machine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// aptSources are the entries of an apt configuration that are of a suite or of its updates, in deb822 form; empty when
// the archive of the suite itself is not among them. Other archives (a vendor's) are left out.
func aptSources(dir, suite string) string {
	oneLine, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", "*.list"))
	deb822, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", "*.sources"))
	var found []stanza
	for _, path := range append([]string{filepath.Join(dir, "sources.list")}, oneLine...) {
		found = append(found, parseOneLine(readText(path))...)
	}
	for _, path := range deb822 {
		found = append(found, parseDeb822(readText(path))...)
	}
	return render(found, suite)
}

func readText(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// stanza is an apt source by its lower-case field names.
type stanza map[string]string

// render writes the stanzas whose suites are all of suite, when one of them is suite itself.
func render(found []stanza, suite string) string {
	allowed := []string{suite, suite + "-updates", suite + "-security"}
	var out strings.Builder
	main := false
	for _, s := range found {
		suites := strings.Fields(s["suites"])
		other := slices.ContainsFunc(suites, func(name string) bool { return !slices.Contains(allowed, name) })
		if len(suites) == 0 || other || !slices.Contains(strings.Fields(s["types"]), "deb") || s["enabled"] == "no" {
			continue
		}
		main = main || slices.Contains(suites, suite)
		out.WriteString(s.text())
	}
	if !main {
		return ""
	}
	return out.String()
}

func (s stanza) text() string {
	var out strings.Builder
	out.WriteString("Types: deb\n")
	for _, field := range []string{"URIs", "Suites", "Components", "Signed-By"} {
		if value := s[strings.ToLower(field)]; value != "" {
			out.WriteString(field + ": " + value + "\n")
		}
	}
	out.WriteString("\n")
	return out.String()
}

// parseDeb822 reads the format of *.sources. A continuation line, as of an embedded key, stays with its field.
func parseDeb822(text string) []stanza {
	var found []stanza
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n\n") {
		s, field := stanza{}, ""
		for line := range strings.SplitSeq(paragraph, "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			if strings.HasPrefix(line, " ") && field != "" {
				s[field] += "\n" + line
				continue
			}
			if name, value, ok := strings.Cut(line, ":"); ok {
				field = strings.ToLower(strings.TrimSpace(name))
				s[field] = strings.TrimSpace(value)
			}
		}
		found = append(found, s)
	}
	return found
}

// parseOneLine reads the format of sources.list: deb [option=value ...] URI suite component...
func parseOneLine(text string) []stanza {
	var found []stanza
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		options := ""
		if before, rest, ok := strings.Cut(line, "["); ok {
			inside, after, _ := strings.Cut(rest, "]")
			line, options = before+after, inside
		}
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "deb" {
			continue
		}
		s := stanza{"types": "deb", "uris": f[1], "suites": f[2], "components": strings.Join(f[3:], " ")}
		for option := range strings.FieldsSeq(options) {
			if name, value, _ := strings.Cut(option, "="); name == "signed-by" {
				s["signed-by"] = value
			}
		}
		found = append(found, s)
	}
	return found
}
