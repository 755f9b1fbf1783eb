#!/usr/bin/env bash
# The whole job on this computer, with no cloud account: bake primal and
# carnivore on top of it, boot the result and show its page.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "demo: the local cloud makes real machines and needs root: sudo make demo" >&2
  exit 1
fi

imago=$PWD/bin/imago
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

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
}

registry=() # the one that this computer's npm uses, if it has one
if command -v npm >/dev/null; then
  registry=(-var "NPM_REGISTRY=$(npm config get registry)")
fi

bake() { # the same images each time, unless something has changed
  images=$(cd "$project" && "$imago" bake --local "${registry[@]}")
}

cloud() { aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; } # Debian's awscli does not read the variable itself

launch() {
  instance=$(cloud ec2 run-instances --image-id "$carnivore" --instance-type t3.micro --query 'Instances[0].InstanceId' --output text)
  cloud ec2 wait instance-running --instance-ids "$instance"
  address=$(cloud ec2 describe-instances --instance-ids "$instance" --query 'Reservations[0].Instances[0].PrivateIpAddress' --output text)
  page=$(curl -fsS --retry 60 --retry-delay 1 --retry-all-errors "http://$address/" 2>/dev/null) ||
    { echo "demo: http://$address/ does not answer; try: aws --endpoint-url $AWS_ENDPOINT_URL ec2 get-console-output --instance-id $instance" >&2; return 1; }
}

stage "local cloud" "$imago" local up
stage "base image (debian-12)" "$imago" local image add debian-12 --id ami-22de994a
eval "$("$imago" local env)"
export AWS_PAGER=''
stage "project" make_project
stage "bake primal and carnivore" bake
stage "bake them again" bake
primal=$(sed -n 's/^primal\t//p' <<<"$images")
carnivore=$(sed -n 's/^carnivore\t//p' <<<"$images")
stage "boot carnivore" launch

say "the page, served by nginx on $address:80"
printf '%s\n' "$page"
say "done in $((SECONDS - started)) s"
printf '%s\n' "${stage_times[@]}"
cat <<EOF

primal     $primal
carnivore  $carnivore
instance   $instance at $address

Look further:
  curl http://$address/health
  bin/imago local status
  eval "\$(bin/imago local env)"     # then: aws --endpoint-url \$AWS_ENDPOINT_URL ec2 describe-images --owners self
Stop it all:
  bin/imago local down
EOF
