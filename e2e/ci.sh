#!/bin/bash
# A CI job as people have it: ci.sh TEMPLATE [-var NAME=VALUE...]. packer is
# whatever the PATH says it is. What it learns goes to files, for the test.
set -euo pipefail
template=$1
shift

packer version
packer --version >/dev/null
packer validate -syntax-only "$template"
packer validate "$@" "$template"
if packer validate broken.json; then
  exit 3
fi
packer inspect -machine-readable "$template" | awk -F, '$3 ~ /^template-/' | cut -d, -f3- | sort >inspect.txt
packer fix -validate=false "$template" | jq -S . >fixed.txt

packer build -color=false -on-error=cleanup -parallel-builds=1 -machine-readable "$@" "$template" | tee build.log
ami=$(awk -F, '$3 == "artifact" && $5 == "id" { print $6; exit }' build.log | cut -d: -f2)
test "$ami" = "$(grep -m1 'artifact,0,id' build.log | cut -d, -f6 | cut -d: -f2)"
test "$ami" = "$(jq -er '.builds[-1].artifact_id | split(":")[1]' manifest.json)"
test "$(jq -r '.last_run_uuid' manifest.json)" = "$(jq -r '.builds[-1].packer_run_uuid' manifest.json)"
echo "$ami" >ami.txt

awk -F, '$4 == "0" && $3 == "artifact"' build.log | cut -d, -f2- | sed "s/$ami/AMI/" >artifact.txt
jq 'del(.builds[-1].fingerprint, .builds[-1].reused) | .builds[-1].build_time = 0 | .builds[-1].packer_run_uuid = "UUID" | .last_run_uuid = "UUID"' manifest.json | sed "s/$ami/AMI/" >manifest.txt
grep -o -e '--> .*: AMIs were created:.n' build.log | sort -u >said.txt
