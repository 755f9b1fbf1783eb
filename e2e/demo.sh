#!/usr/bin/env bash
# The whole job on this computer, with no cloud account: bake primal and carnivore
# on top of it, set an environment up, release the result behind its load balancer,
# release a change while users ask for the page, and go back.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "demo: the local cloud makes real machines and needs root: sudo make demo" >&2
  exit 1
fi

imago=$PWD/bin/imago
project=$(mktemp -d)
asking='' # the load generator, while it runs
trap '[ -z "$asking" ] || kill "$asking"; rm -rf "$project"' EXIT

say() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
started=$SECONDS
stage_times=()
stage() { # NAME COMMAND...: runs the command and remembers how long it took
  local name=$1 from=$SECONDS
  shift
  say "$name"
  "$@"
  stage_times+=("$(printf '%-28s %4d s' "$name" $((SECONDS - from)))")
}

make_project() {
  "$imago" new sample "$project"
  rm -r "$project/app"
  cp -R e2e/app "$project/app"
  cp e2e/app/package.json e2e/app/package-lock.json "$project/deploy/mailtube/"
  # Two machines; a demo does not watch them for five minutes.
  sed -i 's/^\( *\)instance_type = "t3.micro"/&\n\1desired       = 2\n\1watch         = "3s"/' "$project/imago.hcl"
}

registry=() # the one that this computer's npm uses, if it has one
if command -v npm >/dev/null; then
  registry=(-var "NPM_REGISTRY=$(npm config get registry)")
fi

bake() { # the same images each time, unless something has changed
  images=$(cd "$project" && "$imago" bake --local "${registry[@]}")
}

release() { # as users see it: the last line says how it went
  said=$(cd "$project" && "$imago" deploy --local "${registry[@]}" staging)
  printf '%s\n' "$said"
}

first_release() {
  release
  page=$(curl -fsS "$url")
}

change() { sed -i 's/<h1>/<h1>Changed: /' "$project/app/app.js"; }

# under_load runs a command while 200 requests a second begin, a fifth of them on
# connections of their own, and prints what became of them.
under_load() {
  local report=$project/load
  bin/loadgen -url "${url%/}" -rate 200 -for 10m >"$report" &
  asking=$!
  sleep 1
  "$@"
  sleep 1
  kill -INT "$asking"
  local failed=0
  wait "$asking" || failed=1
  asking=''
  cat "$report"
  [ "$failed" -eq 0 ] || { echo "demo: requests have failed while this ran: $*" >&2; return 1; }
}

rollback() {
  said=$(cd "$project" && "$imago" rollback --local staging)
  printf '%s\n' "$said"
}

destroy() { (cd "$project" && "$imago" destroy --local --yes staging); }

setup() {
  (cd "$project" && "$imago" setup --local staging)
  url=$(cd "$project" && "$imago" open --local staging)
}

stage "local cloud" "$imago" local up
stage "base image (debian-12)" "$imago" local image add debian-12 --id ami-22de994a
stage "project" make_project
stage "bake primal and carnivore" bake
stage "bake them again" bake
primal=$(sed -n 's/^primal\t//p' <<<"$images")
carnivore=$(sed -n 's/^carnivore\t//p' <<<"$images")
stage "set staging up" setup
stage "release it" first_release
say "the page, served by two machines behind $url"
printf '%s\n' "$page"
change
stage "release a change, under load" under_load release
stage "go back, under load" under_load rollback
say "what is in service"
(cd "$project" && "$imago" status --local staging)
stage "take it down" destroy
say "done in $((SECONDS - started)) s"
printf '%s\n' "${stage_times[@]}"
cat <<EOF

primal     $primal
carnivore  $carnivore

Look further:
  bin/imago help deploy
  bin/imago local status
  eval "\$(bin/imago local env)"     # then: aws --endpoint-url \$AWS_ENDPOINT_URL ec2 describe-images --owners self
Stop it all:
  bin/imago local down
EOF
