#!/bin/sh
# Puts a script and its environment into a private directory, runs it with an
# empty stdin, cleans up, and ends with its status.
#
#   MARK PHASES DIR DIRMODE PATH CUSTOM KEEP COMMAND-BYTES ENV-BYTES SCRIPT-BYTES
#
# PHASES is put, run, or both; put reads command, environment and script, in this
# order, from stdin. run writes "MARK PID" to stdout when it starts the script.
# CUSTOM is empty when the script is run by its own first line.
set -eu
mark=$1 phases=$2 dir=$3 dirmode=$4 path=$5 custom=$6 keep=$7
command_bytes=$8 env_bytes=$9
shift 9
script_bytes=$1

clean() {
	if [ -z "$keep" ]; then
		rm -rf -- "$dir" || :
		rm -f -- "$path" || :
	else
		rm -f -- "$dir/command" "$dir/env" || :
	fi
}

# part FROM BYTES: the bytes of stdin's copy behind the first FROM.
part() {
	tail -c "+$(($1 + 1))" -- "$dir/all" | head -c "$2"
}

put() {
	before=$(umask)
	umask 077
	mkdir -- "$dir"
	trap clean EXIT # not before: somebody else's directory is not ours to remove
	chmod "$dirmode" -- "$dir"
	cat >"$dir/all"
	if [ "$(wc -c <"$dir/all")" -ne "$((command_bytes + env_bytes + script_bytes))" ]; then
		echo "the script arrived incomplete" >&2
		exit 1
	fi
	part 0 "$command_bytes" >"$dir/command"
	part "$command_bytes" "$env_bytes" >"$dir/env"
	# A file of another account's must not be written through.
	rm -f -- "$path"
	part "$((command_bytes + env_bytes))" "$script_bytes" >"$path"
	if [ -n "$custom" ]; then chmod 0755 -- "$path"; else chmod 0700 -- "$path"; fi
	rm -f -- "$dir/all"
	umask "$before"
}

run() {
	trap clean EXIT
	printf '%s %s\n' "$mark" "$$"
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
case $phases in
*put*) put ;;
esac
case $phases in
*run*) run ;;
esac
trap - EXIT
