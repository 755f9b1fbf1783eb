# Runs inside the new base, after its packages and its files are there.
set -eu

useradd --create-home --uid 1000 --user-group --shell /bin/bash --comment Debian --groups adm,sudo admin
passwd --lock admin >/dev/null
chmod 0440 /etc/sudoers.d/90-imago
update-ca-certificates --fresh >/dev/null

# A machine has no disk to check, no clock to set, no terminal to log in at; and timers that start apt in the middle of a
# provisioning script make it wait for a lock.
systemctl mask --quiet cloud-init-hotplugd.socket \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer logrotate.timer \
	systemd-timesyncd.service systemd-networkd-wait-online.service systemd-udevd.service \
	console-getty.service getty@tty1.service e2scrub_reap.service systemd-firstboot.service

# Its work is to find the data source on a disk and to set up the network. Where the stages are separate programs it takes
# half a second of each boot; where they are one, that waits for it.
if [ ! -e /usr/lib/systemd/system/cloud-init-main.service ]; then
	systemctl mask --quiet cloud-init-local.service
fi

# Each machine makes its own.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: >/etc/machine-id
rm -rf /var/log/journal/* /var/lib/cloud
find /var/log -type f -delete
