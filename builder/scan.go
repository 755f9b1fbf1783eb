package builder

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/provision"
)

// scanScript looks for what should not be in an image; knownScript writes down,
// early at the first boot, who may log in anyway.
var (
	//go:embed scan.sh
	scanScript string
	//go:embed known.sh
	knownScript string
)

// Finding is something on the machine that should not be in an image.
type Finding struct {
	Path string
	Kind FindingKind
}

// FindingKind is what a Finding is.
type FindingKind string

// The kinds of findings.
const (
	FoundPrivateKey    FindingKind = "private-key"
	FoundCredentials   FindingKind = "credentials"
	FoundAuthorizedKey FindingKind = "authorized-key"
	FoundHistory       FindingKind = "history"
	FoundSensitive     FindingKind = "sensitive"
)

// String says what was found, why it should not be there, and what to do.
func (f Finding) String() string {
	what := map[FindingKind]string{
		FoundPrivateKey:    "a private key, which everybody who has the image would have; let the machine get its key when it boots",
		FoundCredentials:   "credentials, which everybody who has the image could use; delete them, or give the machine a role (an instance profile)",
		FoundAuthorizedKey: "an authorized key that was not in the source image: its owner could log in to every machine made from this one; take it out",
		FoundHistory:       "a history of what was typed, passwords perhaps; delete it",
		FoundSensitive:     "the value of a sensitive variable; let the machine get it when it boots",
	}[f.Kind]
	return f.Path + ": " + cmp.Or(what, string(f.Kind))
}

// ScanError says that no image was made, because of what would have been in it.
type ScanError struct{ Findings []Finding }

// Error has a line for each finding.
func (e *ScanError) Error() string { return errors.Join(e.Unwrap()...).Error() }

// Unwrap returns an error for each finding.
func (e *ScanError) Unwrap() (all []error) {
	for _, f := range e.Findings {
		all = append(all, errors.New(f.String()))
	}
	return all
}

// scanMode is a scan's mode, or the default.
func scanMode(s Scan) ScanMode { return cmp.Or(s.Mode, ScanStop) }

// How long a sensitive value, or a line of one, has to be to be looked for in
// files, and how long when it is nothing but small letters: shorter ones are
// words, such as production, which files have for other reasons.
const (
	minScanned     = 8
	minScannedWord = 16
)

// setScan sets what scan.sh needs to know. The time since the launch is by our
// own clock, so that the machine's may be wrong. Not a second more: what is a
// second old may be in the source image.
func setScan(set func(name string, lines ...string), p Plan, c *connection) {
	set("mode", string(scanMode(p.Config.Scan)))
	set("minutes", fmt.Sprintf("%.3f", time.Since(c.inst.asked).Minutes()))
	set("known", append(keyBlobs(string(p.Config.Instance.UserData)), keyBlobs(c.known)...)...)
	set("places", places(p.Config.Steps)...)
	set("allow", p.Config.Scan.Allow...)
	set("secrets", scanned(p.Config.Sensitive)...)
}

// scanned are the lines to look for in files.
func scanned(sensitive []string) (all []string) {
	for _, v := range sensitive {
		if len(v) < minScannedWord && strings.Trim(v, "abcdefghijklmnopqrstuvwxyz") == "" {
			continue
		}
		for _, form := range redact.Forms(v) {
			if len(form) >= minScanned && !strings.Contains(form, "\n") {
				all = append(all, form)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// keyBlobs are the public keys in a text, such as that of an authorized_keys.
func keyBlobs(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r)
	})
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, "AAAA") })
}

// places are where uploads went, unless that is the whole disk, or much of it.
func places(steps []Step) (all []string) {
	for _, s := range steps {
		for _, t := range sent(s) {
			if dest := path.Clean(t.Dest); strings.Count(dest, "/") > 1 && dest[0] == '/' && !strings.Contains(dest, "\n") {
				all = append(all, dest)
			}
		}
	}
	return all
}

// sent lists all trees that a step sends.
func sent(s Step) []provision.Tree {
	if up, ok := s.(Upload); ok {
		return up.Trees
	}
	return uploads(s)
}

// report is what the script on the machine said.
type report struct {
	findings                     []Finding
	asUser, hostKeysStay, tidied bool
}

func readReport(said string) (r report) {
	for line := range strings.Lines(said) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "found":
			kind, where, _ := strings.Cut(rest, " ")
			if f := (Finding{where, FindingKind(kind)}); !slices.Contains(r.findings, f) {
				r.findings = append(r.findings, f)
			}
		case "as-user":
			r.asUser = true
		case "host-keys-stay":
			r.hostKeysStay = true
		case "tidied":
			r.tidied = true
		}
	}
	slices.SortFunc(r.findings, func(a, b Finding) int { return strings.Compare(a.Path+string(a.Kind), b.Path+string(b.Kind)) })
	return r
}

// blindness says what a scan without root has not seen.
func (r report) blindness(user string) error {
	if !r.asUser {
		return nil
	}
	return fmt.Errorf("the machine was scanned only as far as %s may read, who has no sudo without a password; imago needs that to take its own key off, too", user)
}

// judge decides what becomes of a build whose machine has something.
func (b *Builder) judge(s Scan, r report) error {
	if len(r.findings) == 0 {
		return nil
	}
	if scanMode(s) == ScanStop {
		return &ScanError{r.findings}
	}
	for _, f := range r.findings {
		b.warn("%s", f)
	}
	return nil
}
