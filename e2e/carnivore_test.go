package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// project makes what a newcomer has: the files of `imago new`, with the sample
// application in app, and in tmp/appserver where the build block copies it, and its
// dependencies named in the mailtube.
func project(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	imago(t, dir, "new", "sample", ".")
	if err := os.RemoveAll(filepath.Join(dir, "app")); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"app", "tmp/appserver"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS("app")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		body, err := os.ReadFile(filepath.Join("app", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "deploy/mailtube", name), body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// primalVars choose where Node.js comes from: the npm registry's own package.
func primalVars() []string {
	return append([]string{"-var", "NODE_SOURCE=npm", "-var", "NODE_VERSION=20"}, registryVar()...)
}

// registryVar names the registry that this computer's npm uses, if it has one.
func registryVar() []string {
	out, err := exec.Command("npm", "config", "get", "registry").Output()
	if err != nil {
		return nil
	}
	return []string{"-var", "NPM_REGISTRY=" + strings.TrimSpace(string(out))}
}

// TestPrimalThenCarnivore: the article's two manifests, and a page served by
// nginx from a machine booted from the second image.
func TestPrimalThenCarnivore(t *testing.T) {
	leavesNothing(t)
	dir := project(t)
	primal := imago(t, dir, append(append([]string{"build", "--local"}, primalVars()...), "deploy/templates/primal.json")...)
	removeImage(t, primal)
	carnivore := imago(t, dir, append(append([]string{"build", "--local", "-var", "SOURCE_ID=" + primal}, registryVar()...), "deploy/templates/carnivore.json")...)
	removeImage(t, carnivore)

	_, addr := launch(t, carnivore)
	for _, port := range []string{"80", "8080"} {
		if page := get(t, "http://"+addr+":"+port+"/"); !strings.Contains(page, "staging") {
			t.Errorf("port %s serves %q", port, page)
		}
	}

	// The project that imago new writes means the same: there is nothing to bake.
	started, want := launched(t), "primal\t"+primal+"\ncarnivore\t"+carnivore
	if got := imago(t, dir, append([]string{"bake", "--no-reuse=false", "--local"}, primalVars()...)...); got != want || launched(t) != started {
		t.Errorf("imago bake launched %d machines: %s, want %s", launched(t)-started, got, want)
	}
}

// get waits, a minute at most, until url answers 200, and returns the body.
func get(t *testing.T, url string) string {
	t.Helper()
	var last error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		body, err := getOnce(url)
		if err == nil {
			return body
		}
		last = err
	}
	t.Fatalf("%s: %v", url, last)
	return ""
}

func getOnce(url string) (string, error) {
	c := http.Client{Timeout: 5 * time.Second}
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}
