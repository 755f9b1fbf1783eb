package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imagobuild/imago/provision"
)

// planted are files by their paths, and what a scan says of each; "" is nothing.
var planted = []struct{ path, text, kind string }{
	{"/srv/tls/server key.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----\n", "a private key"},
	{"/etc/app/embedded.yml", "tls:\n  key: |\n    -----BEGIN RSA PRIVATE KEY-----\n    MIIEvQIBADANBgkqhkiG9w0B\n", "a private key"},
	{"/opt/app/key.json", `{"private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ"}`, "a private key"},
	{"/home/admin/key.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\r\n", "a private key"},
	{"/usr/share/web/key.pem", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n", "a private key"},
	{"/root/.gnupg/private-keys-v1.d/0123.key", "(11:private-key", "a private key"},
	{"/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n", "a private key"},
	{"/home/admin/age.txt", "# a\nAGE-SECRET-KEY-1" + strings.Repeat("Q7", 29) + "\n", "a private key"},
	{"/root/.aws/credentials", "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = 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\n", "credentials"},
	{"/etc/app.env", "export AWS_SECRET_ACCESS_KEY=\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYQ3v9TzLm0a\"\n", "credentials"},
	{"/home/admin/.docker/config.json", `{"auths": {"registry": {"auth": "dXNlcjpwYXNz"}}}`, "credentials"},
	{"/home/admin/.npmrc", "//registry.npmjs.org/:_authToken=abc\n", "credentials"},
	{"/root/.netrc", "machine x login y password z\n", "credentials"},
	{"/root/.git-credentials", "https://me:pw@github.com\n", "credentials"},
	{"/opt/app/.git/config", "[remote]\n url = https://me:pw@github.com/x\n", "credentials"},
	{"/var/tmp/notes", "use ghp_0123456789abcdefghijABCDEFGHIJ012345 here\n", "credentials"},
	{"/home/admin/.kube/config", "users:\n- user:\n    token: abc\n", "credentials"},
	{"/home/admin/.zsh_history", "ls\n", "a history"},
	{"/root/.python_history", "exit()\n", "a history"},
	{"/var/www/.env", "PASSWORD=" + token + "\n", "the value of a sensitive variable"},
	{"/etc/app/basic", "Authorization: Basic dXNlcjpjb3JyZWN0LWhvcnNlLWJhdHRlcnktc3RhcGxlLTk=\n", "the value of a sensitive variable"},

	{"/root/.bash_history", "ls\n", ""},
	{"/home/admin/.bash_history", "ls\n", ""},
	{"/home/admin/.sqlite_history", "", ""},
	{"/srv/app/node_modules/x/test/key.pem", "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n", ""},
	{"/srv/app/pem.js", "s.replace('-----BEGIN PRIVATE KEY-----', '').replace(\"-----BEGIN PRIVATE KEY-----\\n\", '')\n", ""},
	{"/srv/app/.npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nregistry=https://registry.npmjs.org/\n", ""},
	{"/root/.docker/config.json", `{"auths": {"registry": {}}, "credsStore": "ecr-login"}`, ""},
	{"/srv/app/.git/config", "[remote]\n url = git@github.com:x/y\n url = https://github.com/x\n", ""},
	{"/opt/aws/examples/sts.rst", "\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"\n", ""},
	{"/srv/app/aws.md", "the id is AKIAIOSFODNN7EXAMPLE, and the secret access key: see the console\n", ""},
	{"/etc/ssl/private/ssl-cert-snakeoil.key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n", ""},
	{"/dev/shm/key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n", ""},
}

// planting is a template that puts all of it on the machine, and somebody's key beside ours.
func planting(t *testing.T, key provision.Key) string {
	t.Helper()
	var script strings.Builder
	for _, p := range planted {
		fmt.Fprintf(&script, "sudo mkdir -p \"$(dirname '%s')\"; printf %%s %s | sudo tee '%[1]s' > /dev/null\n", p.path, provision.Quote(p.text))
	}
	fmt.Fprintf(&script, "echo '%s' >> ~/.ssh/authorized_keys\n", strings.TrimSpace(key.Public))
	line, err := json.Marshal(script.String())
	if err != nil {
		t.Fatal(err)
	}
	text := template(admin, `{"type": "shell", "inline": ["sudo mkdir -p /usr/share/web && sudo chown admin /usr/share/web"]},
		{"type": "file", "content": "hello", "destination": "/usr/share/web/index.html"},
		{"type": "file", "source": "page/", "destination": "/usr/share/web"}, {"type": "shell", "inline": [`+string(line)+`]}`)
	return strings.Replace(text, "{", `{"variables": {"TOKEN": null}, "sensitive-variables": ["TOKEN"],`, 1)
}

// findings are the paths in what imago says, and what is said of each.
func findings(log string) (all []string) {
	for _, m := range regexp.MustCompile(`(?:provision|warning): (/[^:]*): (a private key|credentials|an authorized key|a history|the value of a sensitive variable)`).FindAllStringSubmatch(log, -1) {
		all = append(all, m[1]+": "+m[2])
	}
	slices.Sort(all)
	return all
}

// TestScan: all that should not be in an image is found, and nothing else; it
// stops the build, or is told, or may be there.
func TestScan(t *testing.T) {
	leavesNothing(t)
	key, err := provision.NewKey("somebody@else")
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, "t.json", planting(t, key), "page/a.html", "a")
	want := []string{"/home/admin/.ssh/authorized_keys: an authorized key"}
	for _, p := range planted {
		if p.kind != "" {
			want = append(want, p.path+": "+p.kind)
		}
	}
	slices.Sort(want)

	run := func(args ...string) result {
		return cloud.exec(t.Context(), dir, slices.Concat([]string{"build", "--local", "-var", "TOKEN=" + token}, args, []string{"t.json"})...)
	}
	r := run()
	if got := findings(r.stderr); !slices.Equal(got, want) || r.code != 1 || r.stdout != "" {
		t.Errorf("exit %d, stdout %q, found\n%s\nwant\n%s\n%s", r.code, r.stdout, strings.Join(got, "\n"), strings.Join(want, "\n"), r.stderr)
	}
	if !strings.Contains(r.stderr, "imago: hint: ") || strings.Contains(r.stderr, token) {
		t.Errorf("no hint, or the secret:\n%s", r.stderr)
	}
	r = run("--scan=warn")
	base := strings.TrimSpace(r.stdout)
	if base != "" {
		removeImage(t, base)
	}
	if got := findings(r.stderr); !slices.Equal(got, want) || r.code != 0 {
		t.Fatalf("with warn: exit %d, found\n%s\n%s", r.code, strings.Join(got, "\n"), r.stderr)
	}

	// What the source image has, keys that may log in among it, is its own matter.
	dir = write(t, "t.json", template(`, "source_ami": "`+base+`", "ssh_username": "admin"`, `{"type": "shell", "inline": ["grep somebody@else ~/.ssh/authorized_keys"]}`))
	for _, args := range [][]string{nil, {"--ssh-host-key", "console"}, {"--orphan-timeout", "0"}} {
		r := cloud.exec(t.Context(), dir, slices.Concat([]string{"build", "--local"}, args, []string{"t.json"})...)
		if got := findings(r.stderr); len(got) > 0 || r.code != 0 {
			t.Fatalf("on top of it, with %q: exit %d, found %q\n%s", args, r.code, got, r.stderr)
		}
		removeImage(t, strings.TrimSpace(r.stdout))
	}
}

// TestScanAllows: what may be there may, by its path or a pattern; all the rest is still found.
func TestScanAllows(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": [
		"sudo mkdir -p /srv/a/tls /etc/b; for f in /srv/a/tls/x.key /srv/a/y.key /etc/b/z.key; do echo '-----BEGIN PRIVATE KEY-----' | sudo tee $f; done"]}`))
	build := []string{"build", "--local", "--scan-allow", "/srv/a/*", "--scan-allow"}
	r := cloud.exec(t.Context(), dir, append(build, "/etc/b/[a-y].key", "t.json")...)
	if got, want := findings(r.stderr), []string{"/etc/b/z.key: a private key"}; !slices.Equal(got, want) || r.code != 1 {
		t.Errorf("exit %d, found %q, want %q\n%s", r.code, got, want, r.stderr)
	}
	r = cloud.exec(t.Context(), dir, append(build, "/etc/b/[a-z].key", "t.json")...)
	if got := findings(r.stderr); len(got) > 0 || r.code != 0 {
		t.Fatalf("exit %d, found %q\n%s", r.code, got, r.stderr)
	}
	removeImage(t, strings.TrimSpace(r.stdout))
	bake(t, admin, `echo '-----BEGIN PRIVATE KEY-----' > ~/key`, "--scan=off")
}

// TestScanWithoutRoot: a user who cannot become root gets scanned what that user
// can read, and is told so; so is who may log in by user-data's wish.
func TestScanWithoutRoot(t *testing.T) {
	leavesNothing(t)
	key, err := provision.NewKey("mine")
	if err != nil {
		t.Fatal(err)
	}
	known := fmt.Sprintf(`, "user_data": "#cloud-config\nssh_authorized_keys: ['%s']\n"`, strings.TrimSpace(key.Public))
	dir := write(t, "t.json", template(admin+known, `{"type": "shell", "inline": [
		"cloud-init status --wait > /dev/null", "grep -q mine ~/.ssh/authorized_keys",
		"echo '-----BEGIN PRIVATE KEY-----' | sudo tee /srv/open.key /root/closed.key", "sudo sh -c 'rm -f /etc/sudoers.d/*'"]}`))
	r := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
	if got, want := findings(r.stderr), []string{"/srv/open.key: a private key"}; !slices.Equal(got, want) || r.code != 1 {
		t.Errorf("exit %d, found %q, want %q\n%s", r.code, got, want, r.stderr)
	}
	if !strings.Contains(r.stderr, "only as far as admin may read") {
		t.Errorf("it does not say what was not scanned:\n%s", r.stderr)
	}
}
