#!/bin/sh
# Ends the process group of PID, and all that descends from it: sudo
# gives its command a group of its own. Then removes the script's files.
#
#   PID DIR PATH KEEP
set -u
pid=$1 dir=$2 path=$3 keep=$4

# Who keeps the script says who that is.
if read -r number started _ 2>/dev/null <"$dir/state/keeper" && read -r line 2>/dev/null <"/proc/$number/stat"; then
	# shellcheck disable=SC2086 # fields, from the third on
	set -- ${line##*) }
	if [ "${20}" = "$started" ]; then pid=$number; fi
fi

# The group is that of the login shell, which may be another process than PID.
group=$pid
if read -r line 2>/dev/null <"/proc/$pid/stat"; then
	# shellcheck disable=SC2086 # fields: state, parent, group
	set -- ${line##*) }
	group=$3
fi

# The session that listens for the script, which would wait for somebody to come back.
session=
if read -r line _ 2>/dev/null <"$dir/state/session" && grep -q imago-run "/proc/$line/cmdline" 2>/dev/null; then session=$line; fi

# Sets all to the living among the group, the session, and their descendants.
find_all() {
	all=" $pid $session "
	more=yes
	while [ -n "$more" ]; do
		more=
		for stat in /proc/[0-9]*/stat; do
			each=${stat#/proc/}
			each=${each%/stat}
			case $all in *" $each "*) continue ;; esac
			read -r line 2>/dev/null <"$stat" || continue
			# shellcheck disable=SC2086 # fields: state, parent, group
			set -- ${line##*) }
			if [ "${3-}" = "$group" ]; then
				all="$all$each " more=yes
				continue
			fi
			case $all in *" ${2-} "*) all="$all$each " more=yes ;; esac
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

alive() {
	for each in $all; do
		if [ -e "/proc/$each" ]; then return 0; fi
	done
	return 1
}

find_all
signal TERM
tries=0
while alive && [ "$tries" -lt 20 ]; do
	sleep 0.1 || sleep 1
	tries=$((tries + 1))
done
if alive; then signal KILL; fi
if [ -z "$keep" ]; then rm -rf -- "$dir" "$path"; else rm -rf -- "$dir/state" "$dir/command" "$dir/env" "$dir/all"; fi
exit 0
