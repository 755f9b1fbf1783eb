#!/bin/sh
# Runs on the machine before it is tidied up, as root or, where we cannot become
# root, as the user: looks for what should not be in an image among the files
# that were made or changed since the machine was launched, and says "found
# KIND PATH" for each. Nothing secret is in a command line or on a disk.
# The caller sets, a value or one a line: minutes (since the launch, as 1.25),
# user, key (our public one), known (keys that may be there), keys (all: every
# authorized key goes), places (more of them), allow (patterns of paths), secrets.
# shellcheck disable=SC2154,SC2013
set -fu
LC_ALL=C
export LC_ALL
IFS='
'

work=$(mktemp -d /dev/shm/imago-XXXXXX 2> /dev/null || mktemp -d /run/imago-XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# A key has its first line alone, or its lines in one as in JSON. Who only writes
# about keys, as a library does, has something else around that.
private='^[[:space:]]*-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----[[:space:]]*$|-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----(\\r)?\\n[A-Za-z0-9+/]{16}|^PuTTY-User-Key-File-[0-9]'
private=$private'|AGE-SECRET-KEY-1[0-9A-Z]{58}|^[[:space:]]*PrivateKey[[:space:]]*=[[:space:]]*[A-Za-z0-9+/]{43}='
cloud='[Ss][Ee][Cc][Rr][Ee][Tt]_?[Aa][Cc][Cc][Ee][Ss][Ss]_?[Kk][Ee][Yy]["'\'']?[[:space:]]*[:=][[:space:]]*["'\'']?[A-Za-z0-9/+]{40}([^A-Za-z0-9/+]|$)'
cloud=$cloud'|(^|[^A-Za-z0-9_])(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}|glpat-[A-Za-z0-9_-]{20}|npm_[A-Za-z0-9]{36})'

home=$(getent passwd "$user" 2> /dev/null)
home=${home%:*}
home=${home##*:}

# report says what was found, unless it may be there, or goes anyway.
report() {
	case $2 in
	/etc/ssh/ssh_host_*_key) return 0 ;;
	/root/.bash_history | "$home/.bash_history") return 0 ;;
	# What packages make for themselves, and nobody trusts.
	/etc/ssl/private/ssl-cert-snakeoil.key | /etc/pki/tls/private/localhost.key) return 0 ;;
	esac
	for pattern in $allow; do
		# shellcheck disable=SC2254 # it is a pattern
		case $2 in $pattern) return 0 ;; esac
	done
	echo "found $1 $2"
}

# unknown says whether a file has a key in it that is not ours, that was not in
# the image we started from, and that nobody has given the machine at its launch.
unknown() {
	for blob in $(grep -oE 'AAAA[A-Za-z0-9+/=]{40,}' "$1"); do
		[ "$blob" = "$key" ] || grep -qsrF -e "$blob" "$work/known" \
			/run/cloud-init/instance-data.json /var/lib/cloud/instance/imago-keys \
			/var/lib/cloud/instance/cloud-config.txt /var/lib/cloud/instance/scripts || return 0
	done
	return 1
}

# credentials says whether a file that a program keeps its credentials in has any.
credentials() {
	case $1 in
	*/.netrc | */_netrc) grep -qE '(^|[[:space:]])password[[:space:]]+[^[:space:]]' "$1" ;;
	*/.npmrc | */npmrc | */.yarnrc) grep -qE '_(authToken|auth|password)[[:space:]]*=[[:space:]]*[^$[:space:]]' "$1" ;;
	*/.yarnrc.yml) grep -qE 'npmAuthToken:[[:space:]]*"?[^$"[:space:]]' "$1" ;;
	*/.docker/config.json | */.dockercfg | */containers/auth.json) grep -qE '"(auth|identitytoken)":[[:space:]]*"[^"]' "$1" ;;
	*/.kube/config) grep -qE '(client-key-data|token|password):[[:space:]]*[^[:space:]]' "$1" ;;
	*/.git/config) grep -qE '://[^/@[:space:]]+:[^/@[:space:]]+@' "$1" ;;
	*/.aws/sso/cache/*.json | */.aws/cli/cache/*.json) grep -qE '"(accessToken|SecretAccessKey)"' "$1" ;;
	*/.terraform.d/credentials.tfrc.json) grep -q '"token"' "$1" ;;
	*) [ -s "$1" ] ;; # .git-credentials, gcloud's, Azure's
	esac
}

printf '%s\n' "$known" > "$work/known"

# What is in memory is in no image.
memory=
while IFS=' ' read -r _ at type _; do
	[ "$type" != tmpfs ] || memory="$memory$at$IFS"
done < /proc/mounts
inMemory() {
	for at in $memory; do
		case $1/ in "$at"/*) return 0 ;; esac
	done
	return 1
}
set --
for place in /root /home /etc /tmp /var/tmp /opt /srv /var/www /usr/local/etc "$home" $places; do
	[ ! -e "$place" ] || inMemory "$place" || set -- "$@" "$place"
done

# Not every find knows parts of a minute.
find / -prune -cmin "-$minutes" > /dev/null 2>&1 || minutes=$((${minutes%.*} + 1))

# Packages bring keys of their own tests along; caches and objects are packed.
find -H "$@" -xdev -type d '(' -name node_modules -o -name bower_components -o -name site-packages -o -name dist-packages \
	-o -name gems -o -name vendor -o -name .cache -o -name .npm -o -name .rustup -o -path '*/.git/objects' -o -path '*/.cargo/registry' \
	-o -path '*/go/pkg' -o -path '*/lib/python[23]*/test' ')' -prune \
	-o -type f -size -64k -cmin "-$minutes" -print > "$work/files" 2> /dev/null

# contain lists the files in which a grep finds something.
contain() {
	tr '\n' '\0' < "$work/files" | xargs -0 grep -ls "$@" --
}

[ -s "$work/files" ] || exit 0
for file in $(contain -E -e "$private" -e "$cloud"); do
	grep -qE -e "$private" -- "$file" && report private-key "$file"
	grep -hoE -e "$cloud" -- "$file" | grep -qv EXAMPLE && report credentials "$file" # as in all documentation of AWS's
done
for file in $(grep -E '/(\.netrc|_netrc|\.?npmrc|\.yarnrc(\.yml)?|\.docker/config\.json|\.dockercfg|containers/auth\.json|\.kube/config|\.git/config|\.git-credentials|git/credentials|\.aws/(sso|cli)/cache/[^/]*\.json|\.terraform\.d/credentials\.tfrc\.json|gcloud/(application_default_credentials\.json|credentials\.db|access_tokens\.db)|\.azure/(accessTokens\.json|msal_token_cache\.(json|bin)|service_principal_entries\.(json|bin)))$' "$work/files"); do
	credentials "$file" && report credentials "$file"
done
for file in $(grep -E '/\.gnupg/(private-keys-v1\.d/[^/]*\.key|secring\.gpg)$' "$work/files"); do
	[ -s "$file" ] && report private-key "$file"
done
for file in $(grep -E '/(\.[a-z_]+_history|fish/fish_history)$' "$work/files"); do
	[ -s "$file" ] && report history "$file"
done
for file in $(grep -E '/authorized_keys2?$' "$work/files"); do
	case $keys,$file in all,/root/.ssh/authorized_keys | "all,$home/.ssh/authorized_keys") continue ;; esac
	unknown "$file" && report authorized-key "$file"
done
if [ -n "$secrets" ]; then
	printf '%s\n' "$secrets" > "$work/secrets" # printf is the shell's own
	for file in $(contain -F -f "$work/secrets"); do
		report sensitive "$file"
	done
fi
exit 0
