#!/bin/sh
# Receives a tree on the machine: in two phases, or in one go when there is tar.
#
#   all     SHAPE NAME DEST           prepare, unpack stdin, place
#   prepare SHAPE NAME DEST           prints the staging directory
#   place   SHAPE NAME DEST STAGE
#   discard SHAPE NAME DEST STAGE     prints why it may have come to this
#
# The tree is put together in a private directory on the destination's own file
# system, and appears by rename. Exit status 90: there is no tar.
set -eu
phase=$1 shape=$2 name=$3 dest=$4 stage=${5-}

# Sets target, where the tree's root goes: cp -R's rules.
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
}

# Makes stage, next to target, or inside it when it is there: a rename works from both.
prepare() {
	near=$target
	if [ ! -d "$near" ]; then
		near=${target%/*}
		near=${near:-/}
		mkdir -p -- "$near"
	fi
	stage=$(mktemp -d -- "${near%/}/.imago-XXXXXXXXXX")
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
	if [ "$shape" = file ]; then
		mv -f -- "$stage/t" "$target"
		return
	fi
	mode=$(stat -c %a -- "$stage/t")
	chmod u+rwx -- "$stage/t"
	mv -f -- "$stage/t" "$target"
	chmod "$mode" -- "$target"
}

# Tells of a full disk, which tar and SFTP do not always name, and which is then all there is to say.
explain() {
	free=$(df -P -k -- "$stage" | awk 'NR == 2 { print $4 }') || return 0
	if [ "${free:-999}" -lt 256 ]; then echo "No space left on the disk of $dest"; fi
}

unpack() {
	said=$(tar -x -p -o -m -f - -C "$stage" 2>&1) || {
		status=$?
		full=$(explain)
		printf '%s\n' "${full:-$said}" >&2
		exit "$status"
	}
	[ -z "$said" ] || printf '%s\n' "$said" >&2
	# An archive that was cut off between two files looks complete to tar.
	if [ ! -e "$stage/complete" ]; then
		echo "the transfer was cut off" >&2
		exit 92
	fi
}

trap discard EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
case $phase in
all)
	command -v tar >/dev/null 2>&1 || exit 90
	aim
	prepare
	unpack
	place
	;;
prepare)
	aim
	prepare
	cd -- "$stage"
	printf 'imago-stage:%s\n' "$(pwd -P)"
	trap - EXIT
	;;
place)
	aim
	place
	;;
discard) explain ;;
esac
