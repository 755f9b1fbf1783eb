package builder

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

// TestScanModes: what was found stops the build, and nothing is left; or it is
// told and the image made; or nobody looks.
func TestScanModes(t *testing.T) {
	const found = "found private-key /srv/a b.key\nfound history /home/x/.zsh_history\nfound private-key /srv/a b.key\n"
	const history = "/home/x/.zsh_history: a history of what was typed, passwords perhaps; delete it"
	const key = "/srv/a b.key: a private key, which everybody who has the image would have; let the machine get its key when it boots"
	for _, tt := range []struct {
		mode     ScanMode
		err      string
		image    string
		warnings []string
	}{
		{mode: "", err: "provision: " + history + "\n" + key},
		{mode: ScanStop, err: "provision: " + history + "\n" + key},
		{mode: ScanWarn, image: "ami-1", warnings: []string{history, key}},
	} {
		synctest.Test(t, func(t *testing.T) {
			cloud := newFake()
			b, cfg := newBuilder(t, cloud, &fakeMachine{found: found}), trivial()
			cfg.Scan.Mode = tt.mode
			var warnings []string
			b.OnEvent = func(e Event) {
				if n, ok := e.(Note); ok && n.Warning {
					warnings = append(warnings, n.Text)
				}
			}
			img, err := b.Build(t.Context(), cfg)
			checkText(t, cloud, err, tt.err)
			if scan, ok := errors.AsType[*ScanError](err); ok != (tt.err != "") || ok && len(scan.Findings) != 2 {
				t.Errorf("%q: error %#v", tt.mode, err)
			}
			if img.ID != tt.image || !slices.Equal(warnings, tt.warnings) || !slices.Contains(cloud.undone, "i-1") {
				t.Errorf("%q: image %q, warnings %q, took back %q", tt.mode, img.ID, warnings, cloud.undone)
			}
		})
	}
}

// TestScanOfAStoppedMachine: where the template stops the machine itself nobody can look, and says so.
func TestScanOfAStoppedMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		m := &fakeMachine{run: func(context.Context) error { cloud.become(types.InstanceStateNameStopped); return nil }}
		b, cfg := newBuilder(t, cloud, m), trivial()
		cfg.Instance.DisableStop = true
		warning := ""
		b.OnEvent = func(e Event) {
			if n, ok := e.(Note); ok && n.Warning {
				warning += n.Text
			}
		}
		_, err := b.Build(t.Context(), cfg)
		if want := "the machine is not scanned for keys and credentials, since the template stops it (disable_stop_instance)"; err != nil || warning != want || m.tidied != "" {
			t.Errorf("error %v, warning %q, want %q", err, warning, want)
		}
	})
}

// TestScanSettings: the script is told what to look for, sensitive values as
// they may be written, and it is a script.
func TestScanSettings(t *testing.T) {
	m, dir := &fakeMachine{}, t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b, cfg := newBuilder(t, newFake(), m), trivial()
		cfg.Sensitive = []string{"hunter2-'x'", "short", "production"}
		cfg.Instance.UserData = []byte("#cloud-config\nssh_authorized_keys: ['ssh-rsa AAAAkey me']\n")
		cfg.Scan = Scan{Mode: ScanWarn, Allow: []string{"/srv/it's/*", "*.key"}}
		for _, dest := range []string{"/usr/share/web/", "/usr", "relative", "/opt/../etc/x"} {
			cfg.Steps = append(cfg.Steps, Upload{Trees: []provision.Tree{{Source: dir, Dest: dest}}})
		}
		if _, err := b.Build(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	})
	head, _, _ := strings.Cut(m.tidied, "scan() (")
	show := exec.Command("sh", "-c", head+`
			printf '%s|' "$user" "${key:+a key}" "$keys" "$mode" "$minutes" "$known" "$places" "$allow"; printf '%s\n' "$secrets" | grep -c hunter; printf '%s\n' "$secrets" | grep -cE 'short|production|cHJvZHVjdGlvb'`)
	out, _ := show.Output()
	want := "admin|a key|ours|warn|0.000|AAAAkey|/usr/share/web\n/etc/x|/srv/it's/*\n*.key|"
	if got, counts, ok := strings.Cut(string(out), "*.key|"); !ok || got+"*.key|" != want || counts[0] == '0' || !strings.HasSuffix(counts, "\n0\n") {
		t.Errorf("the script is told %q, want %q and the forms of one value", out, want)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte(m.tidied), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"dash", "bash"} {
		if out, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
}

// TestReport: what the machine says, and what else its login says.
func TestReport(t *testing.T) {
	got := readReport("Welcome!\nfound history /b\nfound credentials /a b\nhost-keys-stay\nfound history /b\nas-user\n")
	want := report{findings: []Finding{{"/a b", FoundCredentials}, {"/b", FoundHistory}}, asUser: true, hostKeysStay: true}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(report{})); diff != "" {
		t.Error(diff)
	}
}
