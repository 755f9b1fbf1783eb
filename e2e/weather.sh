#!/usr/bin/env bash
# Bakes the same images twice on a local cloud that is as slow as AWS: on a clear
# day, and while it throttles 30 % of all calls and takes 10 s to know what it has
# made. Says how long a bake takes each time, and fails when one of them does, or
# when the second takes more than 1.5 times as long. Usage:
#   e2e/weather.sh [BAKES]     20 when not said; needs bin/imago, jq, root
set -euo pipefail
cd "$(dirname "$0")/.."

bakes=${1:-20}
imago=$PWD/bin/imago
work=$(mktemp -d)
export IMAGO_STATE_DIR=$work/state IMAGO_NO_REUSE=1
trap '"$imago" local down; rm -rf "$work"' EXIT

# On AWS a small machine runs after about 20 s, has stopped after 22 s, and has gone after 33 s.
"$imago" local up --delay running=20s --delay stopped=22s --delay available=63s --delay terminated=33s
"$imago" local image add debian-12 --id ami-22de994a

cat >"$work/weather.json" <<'JSON'
{"seed": 1, "rules": [
  {"action": "*", "share": 0.3, "error": "RequestLimitExceeded"},
  {"action": "*", "consistency": "10s"}
]}
JSON
template() { # DAY
  jq -n --argjson n "$bakes" --arg day "$1" '{
    builders: [range($n) | {name: "b\(.)", type: "amazon-ebs", region: "us-east-1", instance_type: "t3.micro",
      source_ami: "ami-22de994a", ssh_username: "admin", ami_name: "\($day) \(.)"}],
    provisioners: [{type: "shell", inline: ["echo hello"]}]}'
}
bake() { # DAY
  template "$1" >"$work/$1.template.json"
  "$imago" build --local --json --parallel-builds 10 "$work/$1.template.json" >"$work/$1.json" 2>"$work/$1.log" ||
    { cat "$work/$1.log" >&2; exit 1; }
  "$imago" local faults show >&2
}
seconds() { # DAY: how long a bake took, in the median
  jq '[.images[].seconds] | sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2' "$work/$1.json"
}

bake clear
"$imago" local faults "$work/weather.json"
bake bad
"$imago" local faults off
jq -n --argjson clear "$(seconds clear)" --argjson bad "$(seconds bad)" --argjson n "$(jq '.images | length' "$work/bad.json")" -r '
  "\($n) bakes of '"$bakes"' in bad weather: \($bad | round) s each in the median, \($clear | round) s on a clear day, \($bad / $clear * 100 | round / 100) times as long",
  if $bad / $clear > 1.5 then error("more than 1.5 times") else empty end'
