#!/bin/sh
# Puts a script and its environment into a private directory and runs it there
# with an empty stdin.
#
#   MARK PHASE DIR DIRMODE PATH CUSTOM KEEP COMMAND-BYTES ENV-BYTES SCRIPT-BYTES KEEPER LEAVES OUT ERR
#
# PHASE is one of
#   start   put it there, start it so that it outlives this session, and pass on what it writes
#   attach  pass on what it writes, from its bytes OUT and ERR on, after a session was lost
#   put     only put it there
#   run     run it in this session, which has a terminal, and end with its status
#
# start and put read command, environment and script, in this order, from stdin.
# start and attach read lines from then on: "got OUTPUT BYTES", and "done" when
# all has arrived. What they say themselves begins with MARK. KEEPER is the text
# of keep.sh; CUSTOM and LEAVES are what it wants. Exit status 99: somebody is
# putting it there already.
set -eu
mark=$1 phase=$2 dir=$3 dirmode=$4 path=$5 custom=$6 keep=$7
command_bytes=$8 env_bytes=$9 script_bytes=${10} keeper=${11} leaves=${12} out=${13} err=${14}
state=$dir/state followers=''

clean() {
	if [ -z "$keep" ]; then
		rm -rf -- "$dir" "$path" || :
	else
		rm -rf -- "$state" "$dir/command" "$dir/env" "$dir/all" || :
	fi
}

# look PID: sets parent and began, in ticks since the boot.
look() {
	read -r line 2>/dev/null <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086 # fields, from the third on
	set -- ${line##*) }
	parent=$2 began=${20}
}

# alive PID BEGAN: whether it is still that process.
alive() { look "$1" && [ "$began" = "$2" ]; }

# A machine that shares its kernel with others has their boot id, but an init of its own.
find_boot() {
	read -r boot </proc/sys/kernel/random/boot_id || boot=unknown
	if look 1; then boot=$boot-$began; fi
}

# part FROM BYTES: the bytes of stdin's copy behind the first FROM.
part() {
	if [ "$2" -gt 0 ]; then tail -c "+$(($1 + 1))" -- "$dir/all" | head -c "$2"; fi
}

put() {
	before=$(umask)
	umask 077
	if [ -d "$dir" ]; then exit 99; fi
	if ! mkdir -- "$dir"; then
		if [ -d "$dir" ]; then exit 99; fi
		exit 1
	fi
	trap clean EXIT # not before: somebody else's directory is not ours to remove
	mkdir -- "$state"
	look "$PPID" || began=
	echo "$$ $PPID $began" >"$state/session"
	if [ "$dirmode" != 0700 ]; then chmod "$dirmode" -- "$dir"; fi
	head -c "$((command_bytes + env_bytes + script_bytes))" >"$dir/all"
	if [ "$(wc -c <"$dir/all")" -ne "$((command_bytes + env_bytes + script_bytes))" ]; then
		echo "the script arrived incomplete" >&2
		exit 1
	fi
	part 0 "$command_bytes" >"$dir/command"
	part "$command_bytes" "$env_bytes" >"$dir/env"
	# A file of another account's must not be written through.
	case $path in
	"$dir"/*) ;;
	*) rm -f -- "$path" ;;
	esac
	part "$((command_bytes + env_bytes))" "$script_bytes" >"$path"
	if [ -n "$custom" ]; then chmod 0755 -- "$path"; else chmod 0700 -- "$path"; fi
	echo none >"$state/status"
	true >"$state/out.got"
	true >"$state/err.got"
	umask "$before"
}

# start has the script in the foreground: one in the background would be deaf to
# SIGINT and SIGQUIT, and so would be all that it starts.
start() {
	put
	trap - EXIT
	set +e
	detached=''
	if command -v setsid >/dev/null; then detached=setsid; fi
	exec 3<&0
	hear <&3 3<&- &
	$detached sh -c "$keeper" imago-script "$mark" "$dir" "$path" "$custom" "$keep" "$boot" "$leaves" </dev/null 3<&-
	code=$?
	trap '' PIPE # nobody may be there to hear
	over "$code"
	wait
	exit 0
}

# over STATUS: says that the script and all who had its outputs have ended, and how, if it could say so itself.
over() {
	code=$1
	read -r word _ 2>/dev/null <"$state/status" || word=none
	if [ "$word" != none ]; then
		code=$word
	elif [ "$code" = 0 ]; then
		code=none # of who kept the script, and not its own
	fi
	printf '%s over %s\n' "$mark" "$code"
	printf '%s over %s\n' "$mark" "$code" >&2
}

# hear listens to the other side until it has everything. When the connection is
# lost, whoever comes back has ten minutes from the script's end on.
hear() {
	trap 'if ours; then clean; fi; exit 143' TERM # the machine goes down
	exec >/dev/null 2>&1
	while read -r word output bytes; do
		case $word in
		got) echo "$bytes" >>"$state/$output.got" ;;
		done) finish ;;
		esac
	done
	# shellcheck disable=SC2086 # none, or two
	if [ -n "$followers" ]; then kill $followers; fi
	waits=0
	while [ "$waits" -lt 60 ]; do
		ours || exit 0
		sleep 10
		waits=$((waits + 1))
		if running; then waits=0; fi
	done
	clean
	exit 0
}

# ours says whether no other session has come after this one.
ours() { read -r session _ <"$state/session" && [ "$session" = "$$" ]; }

# running says whether the script, or somebody who has its outputs, has not ended.
running() { read -r number started <"$state/keeper" && alive "$number" "$started"; }

# finish removes everything, and ends what still passes the output of a process
# on that the script has left behind.
finish() {
	true >"$state/done"
	if running && read -r out <"$state/out.pump" && read -r err <"$state/err.pump"; then
		kill "$out" "$err" # before what they wait for: they would go on without it
		for stat in /proc/[0-9]*/stat; do
			each=${stat#/proc/}
			each=${each%/stat}
			if look "$each" && { [ "$parent" = "$out" ] || [ "$parent" = "$err" ]; }; then kill "$each"; fi
		done
	fi
	clean
	exit 0
}

# cut_off ends the server's process of the lost session, which does not know yet
# that it is lost, and may hold up those who write to it.
cut_off() {
	read -r _ number started 2>/dev/null <"$state/session" || return 0
	alive "$number" "$started" || return 0
	for _ in 1 2 3; do # there may be a login shell in between
		read -r name <"/proc/$number/comm" || return 0
		case $name in
		sshd* | dropbear*)
			kill "$number" || :
			return 0
			;;
		esac
		look "$number" || return 0
		number=$parent
	done
}

# abandoned says whether whoever was putting the script there had no chance to clean up.
abandoned() {
	if read -r session _ 2>/dev/null <"$state/session"; then
		if look "$session"; then return 1; fi
		return 0
	fi
	[ "$tries" -ge 300 ]
}

attach() {
	set +e
	tries=0
	until [ -s "$state/keeper" ]; do
		cut_off 2>/dev/null
		if [ ! -d "$dir" ]; then
			printf '%s none %s\n' "$mark" "$boot"
			exit 0
		fi
		if abandoned; then clean; fi
		tries=$((tries + 1))
		sleep 0.1 || sleep 1
	done
	cut_off 2>/dev/null
	look "$PPID" || began=
	echo "$$ $PPID $began" >"$state/session"
	read -r number started <"$state/keeper"
	printf '%s start %s %s\n' "$mark" "$number" "$boot"
	printf '%s start %s %s\n' "$mark" "$number" "$boot" >&2
	follow out "$out" &
	followers=$!
	follow err "$err" >&2 &
	followers="$followers $!"
	hear
}

# later OUTPUT BYTE: sets next to the first piece that begins behind BYTE.
later() {
	while read -r next; do
		if [ "$next" -gt "$2" ]; then return 0; fi
	done <"$state/$1.all"
	return 1
}

# follow OUTPUT BYTE: passes on what is kept, and what comes.
follow() {
	trap - HUP INT PIPE TERM
	until [ -s "$state/$1.all" ] || ! alive "$number" "$started"; do sleep 0.1 || sleep 1; done
	piece=0
	while later "$1" "$piece" && [ "$next" -le "$2" ]; do piece=$next; done
	if [ -e "$state/$1.$piece" ]; then pass "$1" "$2"; fi
	read -r word _ <"$state/status" || word=none
	printf '%s over %s\n' "$mark" "$word"
}

# pass OUTPUT BYTE: from piece on.
pass() {
	exec 5<"$state/$1.$piece"
	if [ "$2" -gt "$piece" ]; then tail -c "+$(($2 - piece + 1))" <&5; fi
	while :; do
		last='' more='' # looked at first: what was written before is there then
		alive "$number" "$started" || last=yes
		if later "$1" "$piece"; then more=yes; fi
		cat <&5 || exit 1
		if [ -n "$more" ]; then
			piece=$next
			exec 5<"$state/$1.$piece"
		elif [ -n "$last" ]; then
			return
		else
			sleep 0.1 || sleep 1
		fi
	done
}

run() {
	trap clean EXIT
	printf '%s start %s %s\n' "$mark" "$$" "$boot"
	status=0
	if [ -n "$custom" ]; then
		"${SHELL:-/bin/sh}" "$dir/command" </dev/null || status=$?
	else
		(
			set -- "$path" # which no variable of the environment can change
			# shellcheck source=/dev/null
			. "$dir/env"
			exec "$1"
		) </dev/null || status=$?
	fi
	clean
	trap - EXIT
	exit "$status"
}

trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
find_boot
$phase
trap - EXIT
