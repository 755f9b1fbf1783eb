package machine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// step is something that provisioning scripts do, as root. want is part of what it prints.
type step struct{ name, script, want string }

// steps are those of a real server that must work in a machine.
func steps() []step {
	return []step{
		{"apt update", "apt-get -q update", "Reading package lists"},
		{"apt install", "DEBIAN_FRONTEND=noninteractive apt-get -qy install nginx-light && curl -sI localhost", "200 OK"},
		{"a package's service runs", "systemctl is-active nginx", "active"},
		{"service stop", "service nginx stop; systemctl is-active nginx || true", "inactive"},
		{"service start", "service nginx start; service nginx status", "active (running)"},
		{"systemctl restart", "systemctl restart nginx && systemctl is-active nginx", "active"},
		{"systemctl disable", "systemctl disable nginx; systemctl is-enabled nginx || true", "disabled"},
		{"systemctl enable", "systemctl enable nginx && systemctl is-enabled nginx", "enabled"},
		{"a unit of one's own", unit, "tick"},
		{"a timer", "systemd-run --on-active=0.5 --timer-property=AccuracySec=1ms touch /run/timed && sleep 1 && ls /run/timed", "/run/timed"},
		{"init.d and update-rc.d", initScript, "active"},
		{"systemd-run", "systemd-run --wait --pipe echo out", "out"},
		{"sysctl of the network", "sysctl -w net.core.somaxconn=4321 net.ipv4.ip_forward=1 && sysctl net.core.somaxconn", "4321"},
		{"sysctl of the ports", "sysctl -w net.ipv4.ip_local_port_range='1024 65000' && cat /proc/sys/net/ipv4/ip_local_port_range", "1024\t65000"},
		{"sysctl of the memory", "sysctl -w vm.swappiness=13 && sysctl -n vm.swappiness", "13"},
		{"sysctl of the files", "sysctl -w fs.file-max=123456 fs.inotify.max_user_watches=54321 && sysctl -n fs.inotify.max_user_watches", "54321"},
		{"sysctl of the kernel", "sysctl -w kernel.panic=17 && sysctl -n kernel.panic", "17"},
		{"sysctl of net.core buffers", "sysctl -w net.core.rmem_max=7654321 net.core.netdev_max_backlog=4567 && sysctl -n net.core.rmem_max", "7654321"},
		{"sysctl of TCP memory", "sysctl -w net.ipv4.tcp_mem='1 2 3' net.ipv4.tcp_max_orphans=9999 net.netfilter.nf_conntrack_max=99999 && sysctl -n net.ipv4.tcp_mem", "1 2 3"},
		{"sysctl of an interface", "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.tcp_fin_timeout=15 && sysctl -a 2>/dev/null | grep -F ipv4.conf.all.rp_filter", "net.ipv4.conf.all.rp_filter = 2"},
		{"sysctl by file", "echo net.ipv4.tcp_syncookies=2 >/etc/sysctl.d/90-test.conf && sysctl --system >/dev/null && sysctl -n net.ipv4.tcp_syncookies", "2"},
		{"iptables nft REDIRECT", "iptables -t nat -A PREROUTING -p tcp --dport 8081 -j REDIRECT --to-ports 80 && iptables -t nat -S", "--to-ports 80"},
		{"iptables legacy REDIRECT", "iptables-legacy -t nat -A PREROUTING -p tcp --dport 8082 -j REDIRECT --to-ports 80 && iptables-legacy -t nat -S", "--to-ports 80"},
		{"nft", "nft add table inet t && nft add chain inet t c '{ type filter hook input priority 0; }' && nft list tables", "table inet t"},
		{"hostnamectl", "hostnamectl set-hostname baked && hostname", "baked"},
		{"sudo knows the name", "sudo -n true", ""},
		{"timedatectl", "timedatectl set-timezone Europe/Berlin && date +%Z", "CE"},
		{"locale", "locale charmap", "UTF-8"},
		{"useradd", "useradd -m -s /bin/bash web && su - web -c whoami", "web"},
		{"adduser --system", "adduser --system --group app && id app", "(app)"},
		{"passwords", "echo web:secret | chpasswd && passwd -S web", "web P"},
		{"setcap", "cp /usr/bin/python3 /usr/local/bin/low && setcap cap_net_bind_service=+ep /usr/local/bin/low && getcap /usr/local/bin/low", "cap_net_bind_service=ep"},
		{"a low port without root", "su web -c \"/usr/local/bin/low -c 'import socket; s=socket.socket(); s.bind((\\\"\\\",81)); print(s.getsockname())'\"", "81"},
		{"mount tmpfs", "mkdir -p /mnt/t && mount -t tmpfs -o size=1m tmpfs /mnt/t && findmnt -no FSTYPE /mnt/t && umount /mnt/t", "tmpfs"},
		{"bind mounts", "mkdir -p /mnt/b && mount --bind /etc /mnt/b && cat /mnt/b/hostname && umount /mnt/b", "baked"},
		{"journalctl", "logger from-a-test && sleep 0.2 && journalctl -n 20 --no-pager", "from-a-test"},
		{"loginctl", "loginctl list-sessions", "admin"},
		{"systemctl --user", "sudo -u admin XDG_RUNTIME_DIR=/run/user/1000 systemctl --user is-system-running --wait", "running"},
		{"ulimit", "su - web -c 'ulimit -n'", ""},
		{"ping", "ping -c1 -W2 127.0.0.1", "1 received"},
		{"cron", "echo '* * * * * root true' >/etc/cron.d/t && systemctl is-active cron", "active"},
		{"chroot and unshare", "unshare -m true && chroot / true && echo ok", "ok"},
		{"TLS by the computer's authorities", "test -s /etc/ssl/certs/ca-certificates.crt && grep NODE_EXTRA_CA_CERTS /etc/environment", "ca-certificates.crt"},
	}
}

const unit = `printf '[Service]\nExecStart=/bin/sh -c "echo tick; sleep 1000"\nRestart=always\nUser=nobody\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/tick.service
systemctl daemon-reload && systemctl enable --now tick && sleep 0.2 && journalctl -u tick --no-pager`

const initScript = `cat >/etc/init.d/old <<'SCRIPT'
#!/bin/sh
### BEGIN INIT INFO
# Provides: old
# Required-Start: $remote_fs
# Required-Stop: $remote_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
case "$1" in start) touch /run/old-started;; esac
SCRIPT
chmod +x /etc/init.d/old && update-rc.d old defaults && service old start && systemctl is-active old`

// refused are what a container cannot do. They must not succeed, and they must not reach the computer.
func refused() []step {
	return []step{
		{"swapon", "dd if=/dev/zero of=/swap bs=1M count=8 status=none && chmod 600 /swap && mkswap -q /swap && swapon /swap", ""},
		{"modprobe", "modprobe dummy", ""},
		{"mknod of a disk", "mknod /root/disk b 7 0", ""},
		{"the clock", "date -s 2020-01-01", ""},
		{"the kernel's log", "dmesg -C", ""},
		{"files that cannot be deleted", "touch /root/f && chattr +i /root/f", ""},
	}
}

// TestSteps does what scripts do on a server, and then looks whether the computer is as it was.
func TestSteps(t *testing.T) {
	baseOf(t)
	before := inventory(t)
	t.Run("machine", func(t *testing.T) {
		c := newCloud(t)
		conf := c.config("i-steps")
		m, sh := c.start(conf)
		passed := 0
		for _, s := range steps() {
			if sh.passes(s) {
				passed++
			}
		}
		t.Logf("%d of %d steps passed", passed, len(steps()))
		for _, s := range refused() {
			out, err := sh.try(asRoot(s.script))
			if _, exited := errors.AsType[*ssh.ExitError](err); !exited {
				t.Errorf("%s: got %v, want an exit code: %s", s.name, err, out)
			}
		}
		redirects(t, c, conf.Addr.String())
		if err := m.Stop(within(t, time.Minute), 20*time.Second); err != nil {
			t.Fatal(err)
		}
		_, sh = c.start(conf)
		wantLines(t, sh.run("systemctl is-system-running --wait; systemctl is-active nginx old tick; sudo sysctl -n net.ipv4.tcp_syncookies; hostname"),
			"running", "active", "active", "active", "2", "baked")
	})
	sameInventory(t, before, inventory(t))
}

func asRoot(script string) string {
	return "sudo -n sh -ec '" + strings.ReplaceAll(script, "'", `'\''`) + "' 2>&1"
}

func (s *shell) passes(st step) bool {
	s.t.Helper()
	began := time.Now()
	out, err := s.try(asRoot(st.script))
	if err != nil || !strings.Contains(out, st.want) {
		s.t.Errorf("%s: %v, want %q in:\n%s", st.name, err, st.want, out)
		return false
	}
	if took := time.Since(began); took > 2*time.Second {
		s.t.Logf("%s took %v", st.name, took.Round(10*time.Millisecond))
	}
	return true
}
