#!/bin/sh
# Ends what was begun over the connection that this is run over, and all that
# descends from it: everything below its sshd but this script itself.
set -u

# parent PID: sets up to its parent, and name to what it is called.
parent() {
	up=0 name=
	read -r line 2>/dev/null <"/proc/$1/stat" || return 1
	name=${line#*(}
	name=${name%)*}
	# shellcheck disable=SC2086 # fields: state, parent
	set -- ${line##*) }
	up=$2
}

# The way up to sshd, which is not to be ended.
mine=" $$ " server=$$
while parent "$server" && [ "$up" -gt 1 ]; do
	case $name in sshd*) break ;; esac
	server=$up
	mine="$mine$server "
done
case $name in sshd*) ;; *) exit 0 ;; esac

# Sets all to the descendants of sshd.
find_all() {
	below=" $server " all=
	more=yes
	while [ -n "$more" ]; do
		more=
		for stat in /proc/[0-9]*/stat; do
			each=${stat#/proc/}
			each=${each%/stat}
			case $below$mine in *" $each "*) continue ;; esac
			parent "$each" || continue
			case $below in *" $up "*) below="$below$each " all="$all $each" more=yes ;; esac
		done
	done
}

# signal NAME: as ourselves, and as root for what we may not.
signal() {
	for each in $all; do
		[ -e "/proc/$each" ] || continue
		kill -s "$1" "$each" 2>/dev/null || sudo -n kill -s "$1" "$each" 2>/dev/null || :
	done
}

find_all
signal TERM
tries=0
while [ -n "$all" ] && [ "$tries" -lt 20 ]; do
	sleep 0.1 || sleep 1
	tries=$((tries + 1))
	find_all
done
signal KILL
exit 0
