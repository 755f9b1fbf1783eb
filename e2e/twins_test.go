package e2e

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var twins = flag.Bool("twins", false, "compare the images of all templates with Packer's, and not of one")

// twin is a template that both bake, and the files beside it.
type twin struct {
	name         string
	options      string
	provisioners string
	files        []string
}

func twinTemplates() []twin {
	return []twin{
		{
			name: "files and owners",
			provisioners: `
    {"type": "shell", "inline": ["mkdir /tmp/site"]},
    {"type": "file", "source": "site/", "destination": "/tmp/site"},
    {"type": "file", "source": "app.conf", "destination": "/tmp/app.conf"},
    {"type": "shell", "environment_vars": ["COLOUR=sea green", "QUOTED=it's \"so\""], "script": "setup.sh"},
    {"type": "shell", "execute_command": "{{.Vars}} sudo -E sh '{{.Path}}'", "inline": [
      "mkdir -p /opt/app/data && mv /tmp/site /opt/app/site && install -m 0640 -o root -g adm /tmp/app.conf /etc/app.conf && rm /tmp/app.conf",
      "useradd --system --home-dir /opt/app --shell /usr/sbin/nologin app && chown -R app:app /opt/app/data && chmod 2770 /opt/app/data",
      "ln -s /opt/app/site /srv/site && ln /etc/app.conf /etc/app.conf.link && mkfifo /opt/app/pipe && cp /bin/true /opt/app/tool && chmod 4755 /opt/app/tool",
      "rm /etc/motd", "echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE > /etc/built"]}`,
			files: []string{"site/index.html", "<h1>hello</h1>\n", "site/lib/a.js", "1\n", "site/lib/b/c.js", "2\n", "app.conf", "key = value\n",
				"setup.sh", "#!/bin/sh\nset -e\necho \"$COLOUR\" \"$QUOTED\" > ~/said\numask 027\nmkdir ~/private\ntouch ~/private/file\n"},
		},
		{
			name: "packages",
			provisioners: `
    {"type": "shell", "execute_command": "sudo {{.Vars}} bash '{{.Path}}'", "environment_vars": ["DEBIAN_FRONTEND=noninteractive"],
     "inline": ["apt-get update", "apt-get install -y --no-install-recommends tree", "apt-get clean"]}`,
		},
		{
			name: "scripts",
			provisioners: `
    {"type": "shell", "scripts": ["one.sh", "two.sh"], "environment_vars": ["WHO=web"], "remote_folder": "/var/tmp"},
    {"type": "shell", "inline_shebang": "/bin/bash -eu", "inline": ["items=(a b c)", "echo ${#items[@]} > ~/items"]},
    {"type": "shell", "valid_exit_codes": [0, 7], "inline": ["echo seven > ~/seven", "exit 7"]},
    {"type": "shell", "except": ["amazon-ebs"], "inline": ["touch ~/never"]}`,
			files: []string{"one.sh", "echo one $WHO > ~/one\n", "two.sh", "#!/bin/bash\necho two ${0##*/} | sed 's/script.*/script/' > ~/two\n"},
		},
		{
			name: "services",
			provisioners: `
    {"type": "file", "source": "web.service", "destination": "/tmp/web.service"},
    {"type": "shell", "inline": [
      "sudo mv /tmp/web.service /etc/systemd/system/web.service && sudo chown root:root /etc/systemd/system/web.service",
      "sudo systemctl daemon-reload && sudo systemctl enable web.service && sudo systemctl disable --now ssh.socket || true",
      "printf 'net.core.somaxconn = 1024\\n' | sudo tee /etc/sysctl.d/90-web.conf > /dev/null",
      "sudo install -d -m 0755 /etc/security/limits.d && echo '* soft nofile 65536' | sudo tee /etc/security/limits.d/web.conf > /dev/null"]}`,
			files: []string{"web.service", "[Unit]\nDescription=web\n[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"},
		},
		{
			name: "a reboot",
			provisioners: `
    {"type": "shell", "expect_disconnect": true, "inline": ["echo before > ~/when", "sudo systemctl reboot"]},
    {"type": "shell", "pause_before": "3s", "inline": ["echo after >> ~/when", "sudo touch /etc/rebooted"]}`,
		},
	}
}

// TestTwins: Debian's packer and imago bake the same template, and the two file systems differ only where the documentation says.
func TestTwins(t *testing.T) {
	leavesNothing(t)
	allowed := documentedDifferences(t)
	all := twinTemplates()
	if !*twins {
		all = all[:1]
	}
	for _, one := range all {
		t.Run(one.name, func(t *testing.T) {
			dir := write(t, append(one.files, "t.json", template(admin+one.options, one.provisioners))...)
			theirs, ours := tree(t, packerBuild(t, dir, "t.json")), tree(t, bakeAgain(t, dir))
			if diff := differing(theirs, ours, allowed); len(diff) > 0 {
				t.Errorf("%d paths differ that no line of imago help migrating allows:\n%s", len(diff), strings.Join(diff, "\n"))
			}
		})
	}
}

// bakeAgain bakes t.json with imago.
func bakeAgain(t *testing.T, dir string) string {
	t.Helper()
	id := imago(t, dir, "build", "--local", "t.json")
	removeImage(t, id)
	return id
}

// packerBuild bakes a template with Debian's packer on the suite's cloud, without its pauses of 15 seconds and more.
func packerBuild(t *testing.T, dir, name string, args ...string) (id string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	pointed := strings.Replace(string(body), `"type": "amazon-ebs",`,
		`"type": "amazon-ebs", "custom_endpoint_ec2": "`+cloud.export(t, "AWS_ENDPOINT_URL")+`", "skip_region_validation": true,`, 1)
	other := filepath.Join(filepath.Dir(name), "packer-"+filepath.Base(name))
	if err := os.WriteFile(filepath.Join(dir, other), []byte(pointed), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	argv := append([]string{"AWS_POLL_DELAY_SECONDS=1", "AWS_MAX_ATTEMPTS=600", "/usr/bin/packer", "build", "-machine-readable"}, args...)
	r := cloud.command(ctx, dir, "/usr/bin/env", append(argv, other)...)
	made := regexp.MustCompile(`artifact,0,id,us-east-1:(ami-[0-9a-f]+)`).FindStringSubmatch(r.stdout)
	if r.code != 0 || made == nil {
		t.Fatalf("packer: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	removeImage(t, made[1])
	return made[1]
}

// documentedDifferences are the paths in the table of imago help migrating.
func documentedDifferences(t *testing.T) (patterns []string) {
	t.Helper()
	_, page, ok := strings.Cut(imago(t, t.TempDir(), "help", "migrating"), "\n## The image's files\n")
	page, _, _ = strings.Cut(page, "\n## ")
	for _, line := range regexp.MustCompile("(?m)^\\| (`/.*?) \\|").FindAllStringSubmatch(page, -1) {
		for _, m := range regexp.MustCompile("`(/[^`]+)`").FindAllStringSubmatch(line[1], -1) {
			patterns = append(patterns, m[1])
		}
	}
	if !ok || len(patterns) == 0 {
		t.Fatal("imago help migrating has no table of the files that differ")
	}
	return patterns
}
