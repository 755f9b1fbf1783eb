#!/bin/sh
# Runs as root on the machine just before it is captured: what belongs to this
# one machine must not be in the image. A bake waits for every program that is
# started here. Nothing is synced: the machine does that when it shuts down.
# $1: the user we log in as; $2: our temporary public key, or nothing;
# $3: "all" takes every authorized key away.
set -u
user=$1 key=$2 keys=$3
set -- # from here on what goes

# Our own key, wherever cloud-init put it.
home=$(getent passwd "$user")
home=${home%:*}
home=${home##*:}
for file in "$home/.ssh/authorized_keys" /root/.ssh/authorized_keys; do
	[ -f "$file" ] || continue
	if [ "$keys" = all ]; then
		set -- "$@" "$file"
	elif [ -n "$key" ]; then
		left=$(grep -vF "$key" "$file" || true)
		printf '%s' "${left:+$left
}" > "$file"
	fi
done

# elsewhere says whether a configuration of cloud-init names other places for
# its state and its logs than it has by itself.
elsewhere() {
	grep -hsE '^[^#]*(cloud_dir|def_log_file|output)["'\'']? *:' /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d/*.cfg \
		/run/cloud-init/cloud.cfg /var/lib/cloud/instance/*cloud-config.txt |
		grep -qvxE ' *(cloud_dir: */var/lib/cloud/?|def_log_file: */var/log/cloud-init\.log|output: *\{ *all: *["'\'']\| *tee -a /var/log/cloud-init-output\.log["'\''] *\}) *'
}

# cloud-init makes new host keys at the next first boot; without it nobody
# would, and sshd would not start. What goes otherwise is what goes with
# `cloud-init clean --logs` (cloudinit/cmd/clean.py), but without the third of a
# second that Python takes to start.
if command -v cloud-init > /dev/null; then
	# Until it has come to the end of its boot, it would write again what goes
	# here. It is ended now, as the machine's shutdown would a moment later.
	if [ ! -e /run/cloud-init/result.json ]; then
		timeout 20 systemctl stop cloud-init-main.service cloud-config.service cloud-final.service > /dev/null 2>&1 || true
	fi
	if elsewhere; then
		cloud-init clean --logs > /dev/null 2>&1 || true
		set -- "$@" /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem
	else
		for entry in /var/lib/cloud/*; do
			[ "$entry" = /var/lib/cloud/seed ] || set -- "$@" "$entry"
		done
		set -- "$@" /var/log/cloud-init.log* /var/log/cloud-init-output.log*
		for program in /etc/cloud/clean.d/*; do
			if [ -f "$program" ] && [ -x "$program" ]; then
				"$program" > /dev/null 2>&1 < /dev/null || true
			fi
		done
	fi
	set -- "$@" /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
else
	echo host-keys-stay
fi

# An empty machine-id is filled in at boot (machine-id(5)); the random seed must differ.
[ ! -f /etc/machine-id ] || : > /etc/machine-id
set -- "$@" /var/lib/systemd/random-seed /var/lib/dhcp/*.leases /root/.bash_history "$home/.bash_history"

# What cloud-init has started may still write where this removes. It comes to
# its end.
tries=60
until rm -rf "$@"; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || exit 1
	sleep 0.5
done
