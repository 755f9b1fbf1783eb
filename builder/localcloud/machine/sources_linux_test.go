package machine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAptSources(t *testing.T) {
	const deb822 = `# the archive
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian
Suites: bookworm-security
Components: main
Enabled: yes

Types: deb
URIs: http://vendor.example
Suites: nodistro
Components: main
`
	const oneLine = `# deb http://old.example/debian buster main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main contrib # ours
deb-src http://mirror.example/debian trixie main
deb http://security.example/debian trixie-security main
deb http://vendor.example/apt stable main
`
	for _, tc := range []struct {
		name, file, text, suite, want string
	}{
		{"deb822", "sources.list.d/debian.sources", deb822, "bookworm", `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian
Suites: bookworm-security
Components: main

`},
		{"one line", "sources.list", oneLine, "trixie", `Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main contrib
Signed-By: /k.gpg

Types: deb
URIs: http://security.example/debian
Suites: trixie-security
Components: main

`},
		{"another suite", "sources.list", oneLine, "bookworm", ""},
		{"updates without the suite", "sources.list", "deb http://m.example/debian trixie-updates main\n", "trixie", ""},
		{"switched off", "sources.list.d/a.sources", "Types: deb\nURIs: http://m.example\nSuites: trixie\nComponents: main\nEnabled: no\n", "trixie", ""},
		{"not an apt source", "sources.list.d/a.list.disabled", oneLine, "trixie", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, tc.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tc.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, aptSources(dir, tc.suite)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestUsableResolver(t *testing.T) {
	for text, want := range map[string]bool{
		"nameserver 192.0.2.53\n":                          true,
		"# nameserver 192.0.2.53\nnameserver 127.0.0.53\n": false,
		"nameserver 127.0.0.1\nnameserver 192.0.2.53\n":    true,
		"nameserver ::1\n":                                 false,
		"search example\n":                                 false,
	} {
		if got := usableResolver(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
