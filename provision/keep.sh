#!/bin/sh
# Runs a script with an empty stdin, in a session of its own that outlives the
# connection, and keeps what it writes until that has arrived.
#
#   MARK DIR PATH CUSTOM KEEP BOOT LEAVES
#
# CUSTOM is empty when the script is run by its own first line. LEAVES is not
# empty when the script may restart the machine. STATE, in DIR, is what a later
# session needs: "keeper" says who we are and at which boot; "status", once it
# is there, how the script ended; out.N and err.N are the pieces of an output
# from its byte N on, which out.all and err.all name in order; out.got and
# err.got say, in their largest line, how much of each has arrived.
set -u
mark=$1 dir=$2 path=$3 custom=$4 keep=$5 boot=$6 leaves=$7
state=$dir/state

# A piece ends after so many reads; so much is kept of an output that has not
# arrived, before the script has to wait.
reads=1024 most=16777216

# look PID: sets began, in ticks since the boot.
look() {
	read -r line 2>/dev/null <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086 # fields, from the third on
	set -- ${line##*) }
	began=${20}
}

clean() {
	if [ -z "$keep" ]; then
		rm -rf -- "$dir" "$path" || :
	else
		rm -rf -- "$state" "$dir/command" "$dir/env" "$dir/all" || :
	fi
}

# goes_down says whether the machine has begun to shut down.
goes_down() {
	[ "$(systemctl is-system-running 2>/dev/null)" = stopping ] || case $(busctl get-property org.freedesktop.login1 \
		/org/freedesktop/login1 org.freedesktop.login1.Manager PreparingForShutdown 2>/dev/null) in
	*true) return 0 ;;
	*) return 1 ;;
	esac
}

run() {
	status=0
	if [ -n "$custom" ]; then
		"${SHELL:-/bin/sh}" "$dir/command" || status=$?
	else
		(
			set -- "$path" # which no variable of the environment can change
			# shellcheck source=/dev/null
			. "$dir/env"
			exec "$1"
		) || status=$?
	fi
	leaving=
	if [ -n "$leaves" ] && goes_down; then leaving=leaving; fi
	{ echo "$status $leaving" 1<>"$state/status"; } 2>/dev/null # in place: the disk may be full
	printf '%s end %s %s\n' "$mark" "$status" "$leaving"
	printf '%s end %s %s\n' "$mark" "$status" "$leaving" >&2
}

# counted sets whole and part, how many reads a dd has done, and bytes, which not
# every dd says. GNU's warns of short reads first, which is what we have it for.
counted() {
	bytes=''
	while IFS='+ ' read -r whole part _; do
		case $whole in
		'' | *[!0-9]*) ;;
		*)
			read -r _ && { read -r bytes _ || :; }
			return 0
			;;
		esac
	done
	return 1
}

# pump OUTPUT: passes stdin on as it comes, and keeps it in pieces. On 6 it learns how much has arrived.
pump() {
	trap '' PIPE # nobody may be there to hear
	output=$1 at=0 arrived=0
	read -r self _ </proc/self/stat
	echo "$self" >"$state/$output.pump"
	printf '%s start %s %s\n' "$mark" "$$" "$boot"
	set --
	while true >"$state/$output.$at" && echo "$at" >>"$state/$output.all"; do
		set -- "$@" "$at"
		dd bs=4096 count="$reads" 2>"$state/$output.count" | tee -a "$state/$output.$at"
		counted <"$state/$output.count" || break
		if [ "$((whole + part))" -lt "$reads" ]; then return; fi # all writers have gone
		size=$(wc -c <"$state/$output.$at")
		if [ "$size" -ne "${bytes:-$size}" ]; then break; fi
		at=$((at + size))
		while :; do
			while read -r bytes <&6; do
				if [ "$bytes" -gt "$arrived" ]; then arrived=$bytes; fi
			done
			while [ "$#" -gt 1 ] && [ "$2" -le "$arrived" ]; do
				rm -f "$state/$output.$1"
				shift
			done
			if [ "$((at - arrived))" -lt "$most" ] || [ ! -d "$state" ]; then break; fi
			sleep 0.1 || sleep 1
		done
	done
	# Nothing can be kept, as on a full disk, or when the script has emptied /tmp:
	# it goes on all the same, also when nobody hears it.
	cat || cat >/dev/null
}

trap 'clean; exit 143' TERM # the machine goes down
look "$$" || began=
echo "$$ $began" >"$state/keeper"
# Opened before the script runs: the first thing that it does may be to empty /tmp.
exec 3>&1 4>&2 6<"$state/out.got" 7<"$state/err.got"
{
	run 2>&1 >&5 3>&- 4>&- 5>&- 6>&- 7>&- | pump err >&4 2>/dev/null 3>&- 4>&- 5>&- 6<&7 7>&-
} 5>&1 | pump out >&3 2>/dev/null 3>&- 4>&- 7>&-
