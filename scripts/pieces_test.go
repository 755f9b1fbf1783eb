package scripts_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// piece runs commands with the functions of a script in scope and its main left
// out, and returns what they printed. scratch is a directory of the test's own.
func piece(t *testing.T, script, commands string, env ...string) (out string, err error) {
	t.Helper()
	for _, f := range project(t) {
		if f.Path != "deploy/templates/"+script {
			continue
		}
		body, ok := strings.CutSuffix(string(f.Content), "\nmain\n")
		if !ok {
			t.Fatalf("%s does not end with main", script)
		}
		cmd := exec.Command("bash", "-c", body+"\n"+commands)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "scratch=" + t.TempDir()}, env...)
		got, err := cmd.CombinedOutput()
		return string(got), err
	}
	t.Fatalf("no script %s", script)
	return "", nil
}

// carnivore knows every name in the templates, and a value goes in as it is.
func TestTemplatesFillCompletely(t *testing.T) {
	dir := write(t, project(t))
	for _, name := range []string{"nginx.conf", "site.conf", "app.service", "app.init"} {
		template := filepath.Join(dir, "deploy/mailtube", name)
		out, err := piece(t, "carnivore", `
declare -A values
for key in NAME NODE_ENV NGINX_USER NGINX_WORKERS SERVER_NAME STATIC_ROOT APP_DIR MAIN NODE USER; do
  values[$key]="<$key&\\1/>"
done
fill "$template" "$scratch/out" 0644
cat "$scratch/out"`, "template="+template)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		body, err := os.ReadFile(template)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`\{([A-Z_]+)\}`).ReplaceAllString(string(body), `<$1&\1/>`)
		if diff := cmp.Diff(want, out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFillRefusesUnknownNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.conf")
	if err := os.WriteFile(file, []byte("root {STATIC_DIR};\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := piece(t, "carnivore", `
declare -A values
for key in NAME NODE_ENV NGINX_USER NGINX_WORKERS SERVER_NAME STATIC_ROOT APP_DIR MAIN NODE USER; do values[$key]=x; done
fill "$file" "$scratch/out" 0644`, "file="+file)
	if want := "carnivore: " + file + " has {STATIC_DIR}, which carnivore does not know\n"; err == nil || out != want {
		t.Errorf("printed %q (%v), want %q", out, err, want)
	}
}

func TestPrimalInputs(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want string
	}{
		{[]string{"NODE_VERSION=22"}, "tarball 22"},
		{[]string{"NODE_VERSION=v22.12.0"}, "tarball 22.12.0"},
		{[]string{"NODE_VERSION=22", "NODE_SOURCE=npm"}, "npm 22"},
		{[]string{"NODE_SOURCE=apt"}, "apt "},
		{[]string{"NODE_VERSION=0.10.35", "NVM_VERSION=v0.40.3"}, "nvm 0.10.35"},
		{[]string{"NODE_VERSION=22", "NODE_SOURCE=", "NVM_VERSION="}, "tarball 22"},
		{nil, "primal: NODE_VERSION is not set; give for example 22 or 22.12.0"},
		{[]string{"NODE_VERSION=lts"}, "primal: NODE_VERSION=lts: give a version such as 22 or 22.12.0"},
		{[]string{"NODE_VERSION=22", "NODE_SOURCE=zip"}, "primal: NODE_SOURCE=zip: it is one of tarball, npm, apt, nvm"},
		{[]string{"NODE_VERSION=22", "NODE_SOURCE=nvm"}, "primal: NODE_SOURCE=nvm needs NVM_VERSION, such as v0.40.3"},
		{[]string{"NODE_SOURCE=npm", "NVM_VERSION=1"}, "primal: NVM_VERSION=1 and NODE_SOURCE=npm name two sources of Node.js: empty one of them"},
	} {
		out, err := piece(t, "primal", `check_inputs; echo "$NODE_SOURCE ${NODE_VERSION:-}"`, c.env...)
		if out != c.want+"\n" || strings.HasPrefix(c.want, "primal:") != (err != nil) {
			t.Errorf("%v: %q (%v), want %q", c.env, out, err, c.want)
		}
	}
}

// A mirror of Node.js: 20.10.1 is whole, the tarball of 18.1.0 is not what the sums say.
func mirror(t *testing.T) (url string) {
	t.Helper()
	sum := sha256.Sum256([]byte("tarball"))
	sums := func(version, sum string) string { return sum + "  node-v" + version + "-linux-x64.tar.gz\n" }
	files := map[string]string{
		"/index.tab":               "version\tdate\nv22.0.0\t-\nv20.10.1\t-\nv20.9.0\t-\nv18.1.0\t-\nv2.0.0\t-\n",
		"/v20.10.1/SHASUMS256.txt": sums("20.10.1", hex.EncodeToString(sum[:])),
		"/v18.1.0/SHASUMS256.txt":  sums("18.1.0", strings.Repeat("0", 64)),
		"/v2.0.0/SHASUMS256.txt":   sums("20.10.1", hex.EncodeToString(sum[:])),
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		if strings.HasSuffix(r.URL.Path, ".tar.gz") {
			body, ok = "tarball", true
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestTarballIsVerified(t *testing.T) {
	url := mirror(t)
	for _, c := range []struct{ version, want string }{
		{"20", "unpacked node-v20.10.1-linux-x64.tar.gz\n"},
		{"20.10.1", "unpacked node-v20.10.1-linux-x64.tar.gz\n"},
		{"2", "primal: node-v2.0.0-linux-x64.tar.gz is not what the mirror's SHASUMS256.txt says: nothing of it was installed\n"},
		{"18", "primal: node-v18.1.0-linux-x64.tar.gz is not what the mirror's SHASUMS256.txt says: nothing of it was installed\n"},
		{"1", "primal: NODE_VERSION=1: the mirror has no such Node.js\n"},
	} {
		out, err := piece(t, "primal", `tar() { echo "unpacked ${2##*/}"; }
rm() { :; }
uname() { echo x86_64; }
node_from_tarball`, "NODE_MIRROR="+url+"/", "NODE_SOURCE=tarball", "NODE_VERSION="+c.version)
		if out != c.want || strings.HasPrefix(c.want, "primal:") != (err != nil) {
			t.Errorf("Node.js %s: %q (%v), want %q", c.version, out, err, c.want)
		}
	}
}
