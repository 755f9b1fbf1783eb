#!/usr/bin/env bash
# Fuzzes tests of one package, all at the same time and each on one processor:
#
#   e2e/fuzz.sh SECONDS PACKAGE TARGET...
#
# Fuzzing has no -fuzztime here, and is interrupted instead. At the end of a
# -fuzztime, Go before 1.27 may take its own deadline for a failure
# (https://go.dev/issue/75804); an interrupt it always takes for the end. What is
# left to fail are inputs: one that makes a test fail, panic, or take ten seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1 package=$2
shift 2
targets=("$@")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go test -c -fuzz="${targets[0]}" -o "$scratch/fuzz" "$package"
inputs=$(go env GOCACHE)/fuzz/$(go list "$package")
mkdir -p "$inputs"

cd "$package"
for target in "${targets[@]}"; do
  timeout --preserve-status --signal=INT --kill-after=60 "$seconds" "$scratch/fuzz" -test.run='^$' -test.fuzz="^$target\$" \
    -test.fuzzminimizetime=1s -test.parallel=1 -test.fuzzcachedir="$inputs" >"$scratch/$target" 2>&1 &
  echo $! >"$scratch/$target.pid"
done

status=0
for target in "${targets[@]}"; do
  if wait "$(<"$scratch/$target.pid")"; then
    echo "$target: $(grep -a '^fuzz: elapsed' "$scratch/$target" | tail -n 1)"
  else
    cat "$scratch/$target"
    status=1
  fi
done
exit "$status"
