#!/bin/sh
# Runs as root on the machine just before it is captured: what belongs to this
# one machine must not be in the image.
# $1: the user we log in as; $2: our temporary public key, or nothing;
# $3: "all" takes every authorized key away.
set -u
user=$1 key=$2 keys=$3

# Our own key, wherever cloud-init put it.
home=$(getent passwd "$user" | cut -d: -f6)
for file in "$home/.ssh/authorized_keys" /root/.ssh/authorized_keys; do
	[ -f "$file" ] || continue
	if [ "$keys" = all ]; then
		rm -f "$file"
	elif [ -n "$key" ]; then
		left=$(grep -vF "$key" "$file" || true)
		printf '%s' "${left:+$left
}" > "$file"
	fi
done

# elsewhere says whether a configuration of cloud-init names other places for
# its state and its logs than it has by itself.
elsewhere() {
	cat /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d/*.cfg /run/cloud-init/cloud.cfg \
		/var/lib/cloud/instance/*cloud-config.txt 2> /dev/null |
		grep -E '^[^#]*(cloud_dir|def_log_file|output)["'\'']? *:' |
		grep -qvxE ' *(cloud_dir: */var/lib/cloud/?|def_log_file: */var/log/cloud-init\.log|output: *\{ *all: *["'\'']\| *tee -a /var/log/cloud-init-output\.log["'\''] *\}) *'
}

# clean is `cloud-init clean --logs` (cloudinit/cmd/clean.py) without the third
# of a second that Python takes to start.
clean() {
	set --
	for entry in /var/lib/cloud/*; do
		[ "$entry" = /var/lib/cloud/seed ] || set -- "$@" "$entry"
	done
	rm -rf "$@" /var/log/cloud-init.log* /var/log/cloud-init-output.log*
	for program in /etc/cloud/clean.d/*; do
		if [ -f "$program" ] && [ -x "$program" ]; then
			"$program" > /dev/null 2>&1 < /dev/null || true
		fi
	done
}

# cloud-init makes new host keys at the next first boot; without it nobody
# would, and sshd would not start.
if command -v cloud-init > /dev/null; then
	if elsewhere; then
		cloud-init clean --logs > /dev/null 2>&1 || true
		rm -rf /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem
	else
		clean
	fi
	rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
else
	echo host-keys-stay
fi

# An empty machine-id is filled in at boot (machine-id(5)); the random seed must differ.
[ ! -f /etc/machine-id ] || : > /etc/machine-id
rm -f /var/lib/systemd/random-seed /var/lib/dhcp/*.leases

rm -f /root/.bash_history "$home/.bash_history"
sync
