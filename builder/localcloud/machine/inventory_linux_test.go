package machine_test

import (
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
)

// inventory is what a machine could change on the computer: its links, firewall tables, mounts, cgroups, device nodes,
// sysctls and the registry of hosts.
func inventory(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		found["link "+l.Attrs().Name] = ""
	}
	tables, err := (&nftables.Conn{}).ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		found["table "+table.Name] = ""
	}
	for _, file := range []string{"/proc/self/mounts", "/proc/swaps", "/proc/modules"} {
		text, _ := os.ReadFile(file)
		found[file] = string(text)
	}
	walk(found, "/proc/sys", true)
	walk(found, "/dev", false)
	walk(found, "/run/imago/hosts", false)
	for _, pattern := range []string{"/sys/fs/cgroup/imago*", "/sys/fs/cgroup/*/imago*"} {
		for _, c := range mustGlob(t, pattern) {
			found["cgroup "+c] = ""
		}
	}
	return found
}

// walk notes the modes of the files below dir, and the content of those that can be set.
func walk(found map[string]string, dir string, content bool) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || changesByItself(path) {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		found[path] = info.Mode().String()
		if content && info.Mode().Perm()&0o600 == 0o600 && info.Mode().IsRegular() {
			text, _ := os.ReadFile(path)
			found[path] += " " + string(text)
		}
		return nil
	})
}

// changesByItself names what differs between two looks at a computer on which nothing is done.
func changesByItself(path string) bool {
	for _, part := range []string{
		"/random/", "-state", "-nr", "ns_last_pid", "/conf/", "/neigh/", "nr_", "/dev/pts/", "/dev/shm/", "/pty/nr", "_stat", "nf_conntrack_count", "/proc/sys/user/",
	} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

// sameInventory allows for what other hosts, of programs that run at the same time, make and remove.
func sameInventory(t *testing.T, before, after map[string]string) {
	t.Helper()
	others := len(mustGlob(t, "/run/imago/hosts/*.json")) > 0
	for _, m := range []map[string]string{before, after} {
		for key := range m {
			theirs := strings.Contains(key, "imago") || strings.HasPrefix(key, "link imv") || strings.HasSuffix(key, "/ip_forward")
			if others && theirs {
				delete(m, key)
			}
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the computer changed (-before +after):\n%s", diff)
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// redirects asks for the page by the ports that the machine's own firewall redirects.
func redirects(t *testing.T, c *cloud, addr string) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	for _, port := range []string{"80", "8081", "8082"} {
		answer, err := client.Get("http://" + net.JoinHostPort(addr, port))
		if err != nil {
			t.Error(err)
			continue
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("port %s: %s", port, answer.Status)
		}
	}
}
