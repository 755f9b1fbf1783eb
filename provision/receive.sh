#!/bin/sh
# Receives a tree on the machine.
#
#   all     SHAPE NAME DEST ID [TARGET STAGE]    unpack stdin, and place it when it is complete
#   join    SHAPE NAME DEST ID TARGET STAGE N    unpack stdin, beside "all"
#   prepare SHAPE NAME DEST ID                   make the staging directory only
#   resume  SHAPE NAME DEST ID TARGET STAGE      end an earlier "all", and print how far it came
#   place   SHAPE NAME DEST ID TARGET STAGE
#   discard SHAPE NAME DEST ID [TARGET STAGE]    prints why it may have come to this
#
# The tree is put together in STAGE, a private directory on the destination's own
# file system, and appears at TARGET by rename. "all" and "prepare" find out where
# both are, and print it: DEST means something else once the tree is there. STAGE
# stays, for some minutes, when stdin ends too early: whoever sends may come back.
# Exit status 90: there is no tar; 93: no gzip; 94: no STAGE any more.
set -eu
phase=$1 shape=$2 name=$3 dest=$4 id=$5 target=${6-} stage=${7-}

# Sets target, where the tree's root goes by cp -R's rules, and stage.
aim() {
	case $dest in
	/*) ;;
	*) dest=./$dest ;;
	esac
	target=$dest
	case $shape in
	file)
		case $dest in
		*/) target=$dest$name ;;
		*) if [ -d "$dest" ]; then target=$dest/$name; fi ;;
		esac
		if [ -d "$target" ]; then
			echo "$target is a directory, and the source is a file" >&2
			exit 91
		fi
		;;
	dir)
		while [ "$target" != / ] && [ "${target%/}" != "$target" ]; do target=${target%/}; done
		if [ -d "$target" ]; then target=${target%/}/$name; fi
		;;
	contents)
		while [ "$target" != / ] && [ "${target%/}" != "$target" ]; do target=${target%/}; done
		;;
	esac
	if [ "$shape" != file ] && [ ! -d "$target" ] && { [ -e "$target" ] || [ -L "$target" ]; }; then
		echo "$target is not a directory, and the source is one" >&2
		exit 91
	fi
	# Next to target, or inside it when it is there: a rename works from both.
	stage=$target
	if [ ! -d "$stage" ]; then
		stage=${target%/*}
		stage=${stage:-/}
	fi
	stage=${stage%/}/.imago-$id
}

# Makes the staging directory, or takes over the one that is there.
prepare() {
	if [ -z "$stage" ]; then
		aim
		mkdir -p -- "${stage%/*}/"
		mkdir -m 700 -- "$stage" "$stage/p"
		stage=$(cd -- "$stage" && pwd -P && echo .)
		stage=${stage%??}
	else
		[ -d "$stage" ] || exit 94
		take_over
		rm -f -- "$stage/complete" "$stage/more" "$stage"/end* # of a stream that was cut off in its last moment
	fi
	echo "$$" >"$stage/pid"
	printf 'imago-stage:%s:imago-target:%s:imago-end\n' "$stage" "$target"
}

# Sets parent and group to those of a process.
kin() {
	parent=0 group=0
	read -r line 2>/dev/null <"/proc/$1/stat" || return 0
	# shellcheck disable=SC2086 # fields: state, parent, group
	set -- ${line##*) }
	parent=$2 group=$3
}

# Sets others to who works for the same upload: a connection that is lost here
# may still look alive to the machine.
find_others() {
	ours=" $$ " each=$$
	while kin "$each" && [ "$parent" -gt 1 ]; do
		each=$parent
		ours="$ours$each "
	done
	kin "$$"
	own=$group others=
	# shellcheck disable=SC2013 # these names hold no spaces
	for each in $(grep -lF -- "$id" /proc/[0-9]*/cmdline 2>/dev/null); do
		each=${each#/proc/}
		each=${each%/cmdline}
		kin "$each"
		case $ours in *" $each "*) continue ;; esac
		if [ "$group" != "$own" ] && [ "$group" != 0 ]; then others="$others $each"; fi
	done
}

# Ends them.
take_over() {
	tries=0
	while find_others && [ -n "$others" ] && [ "$tries" -lt 50 ]; do
		signal=TERM
		if [ "$tries" -ge 20 ]; then signal=KILL; fi
		for each in $others; do kill -s "$signal" "$each" 2>/dev/null || :; done
		tries=$((tries + 1))
		sleep 0.1 || sleep 1
	done
}

# A directory without write permission can neither be emptied nor moved.
discard() {
	if [ -n "$stage" ] && [ -d "$stage" ]; then
		rm -rf -- "$stage" 2>/dev/null || {
			find "$stage" -type d -exec chmod u+rwx {} + 2>/dev/null || :
			rm -rf -- "$stage"
		}
	fi
}

# Discards what is left after ten minutes, unless somebody has taken it over.
guard() {
	if [ -z "$stage" ] || [ ! -d "$stage" ]; then return 0; fi
	(
		trap - EXIT
		trap '' HUP INT PIPE
		tries=0
		while [ -d "$stage" ] && read -r owner <"$stage/pid" && [ "$owner" = "$$" ]; do
			if [ "$tries" -ge 600 ]; then
				discard
				break
			fi
			tries=$((tries + 1))
			sleep 1
		done
	) </dev/null >/dev/null 2>&1 &
}

# move DIR FILE...: renames all of them into DIR.
move() (
	into=$1
	shift
	if [ "$#" -gt 0 ]; then mv -f -- "$@" "$into/"; fi
)

# move_locked DIR SUBDIR: the same for a directory without write permission.
move_locked() (
	mode=$(stat -c %a -- "$2")
	chmod u+w -- "$2"
	mv -f -- "$2" "$1/"
	chmod "$mode" -- "$1/${2##*/}"
)

# merge FROM INTO: moves what FROM holds into the existing directory INTO. What
# is a directory on both sides is merged in turn and keeps INTO's mode.
merge() (
	from=$1 into=$2 count=0
	if [ ! -r "$from" ] || [ ! -w "$from" ] || [ ! -x "$from" ]; then chmod u+rwx -- "$from"; fi
	set --
	for each in "$from"/* "$from"/.[!.]* "$from"/..?*; do
		if [ ! -e "$each" ] && [ ! -L "$each" ]; then continue; fi # a pattern without a match
		if [ -d "$each" ] && [ ! -L "$each" ]; then
			if [ -d "$into/${each##*/}" ]; then
				merge "$each" "$into/${each##*/}"
				continue
			fi
			if [ ! -w "$each" ]; then
				move_locked "$into" "$each"
				continue
			fi
		fi
		set -- "$@" "$each"
		count=$((count + 1))
		if [ "$count" -ge 100 ]; then
			move "$into" "$@"
			set --
			count=0
		fi
	done
	move "$into" "$@"
)

place() {
	if [ "$shape" != file ] && [ -d "$target" ]; then
		merge "$stage/t" "$target"
		return
	fi
	if [ "$shape" = file ] || [ -w "$stage/t" ]; then
		mv -f -- "$stage/t" "$target"
		return
	fi
	mode=$(stat -c %a -- "$stage/t")
	chmod u+w -- "$stage/t"
	mv -f -- "$stage/t" "$target"
	chmod "$mode" -- "$target"
}

# Tells of a full disk, which tar and SFTP do not always name, and which is then all there is to say.
explain() {
	free=$(df -P -k -- "$stage" | awk 'NR == 2 { print $4 }') || return 0
	if [ "${free:-999}" -lt 256 ]; then echo "No space left on the disk of $dest"; fi
}

# Big blocks, where tar knows of them, save it half its time.
extract() {
	case $(tar --version 2>/dev/null) in
	*GNU* | bsdtar*) set -- -b 512 ;;
	*) set -- ;;
	esac
	tar -x -p -o -m "$@" -f - -C "$stage" 2>&1
}

# The first line of stdin says how the rest is packed.
unpack() {
	read -r how
	case $how in
	gzip)
		command -v gzip >/dev/null 2>&1 || exit 93
		said=$(gzip -dc 2>/dev/null | extract)
		;;
	*) said=$(extract) ;;
	esac || {
		status=$?
		full=$(explain)
		printf '%s\n' "${full:-$said}" >&2
		exit "$status"
	}
	[ -z "$said" ] || printf '%s\n' "$said" >&2
}

# An archive that was cut off between two files looks complete to tar.
cut_off_unless() {
	if [ ! -e "$stage/$1" ]; then
		echo "the transfer was cut off" >&2
		exit 92
	fi
	rm -f -- "$stage/$1"
}

trap guard EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
case $phase in
all)
	command -v tar >/dev/null 2>&1 || exit 90
	prepare
	unpack
	if [ -e "$stage/more" ]; then
		rm -f -- "$stage/more"
		exit 0
	fi
	cut_off_unless complete
	place
	discard
	;;
join)
	trap - EXIT
	unpack
	cut_off_unless "end$8"
	;;
prepare) prepare ;;
resume)
	prepare
	for at in "$stage"/at*; do
		if [ -e "$at" ]; then printf 'imago-at:%s:%s\n' "${at##*/at}" "$(cat -- "$at")"; fi
	done
	;;
place)
	place
	discard
	;;
discard)
	take_over
	if [ -z "$stage" ]; then aim; fi
	if [ -d "$stage" ]; then
		explain
		discard
	fi
	;;
esac
