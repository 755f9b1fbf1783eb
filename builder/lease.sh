#!/bin/sh
# Ends this machine when nobody speaks for it any more. cloud-init runs this at
# each boot, or imago does when it connects. Nothing of it is outside /run, so
# that nothing of it reaches an image.
# $1: how many seconds the machine has. /run/imago/lease, when somebody writes
# one, is how many it has from then on. Counting needs no clock that is right.
mkdir /run/imago 2> /dev/null || exit 0 # somebody counts already
chmod 1777 /run/imago

(
	left=$1
	while [ "$left" -gt 0 ]; do
		tick=$((left < 10 ? left : 10))
		sleep "$tick"
		left=$((left - tick))
		more=$(cat /run/imago/lease) && rm -f /run/imago/lease
		case $more in
		'' | 0* | *[!0-9]* | ????????*) ;;
		*) left=$more ;;
		esac
	done
	echo 'imago: nobody has spoken for this machine for too long; it ends itself' > /dev/console
	systemctl poweroff || poweroff || shutdown -h now
) > /dev/null 2>&1 < /dev/null &
