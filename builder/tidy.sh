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

# cloud-init makes new host keys at the next first boot; without it nobody
# would, and sshd would not start.
if command -v cloud-init > /dev/null; then
	cloud-init clean --logs > /dev/null 2>&1 || true
	rm -rf /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem
	rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
else
	echo host-keys-stay
fi

# An empty machine-id is filled in at boot (machine-id(5)); the random seed must differ.
[ ! -f /etc/machine-id ] || : > /etc/machine-id
rm -f /var/lib/systemd/random-seed /var/lib/dhcp/*.leases

rm -f /root/.bash_history "$home/.bash_history"
sync
