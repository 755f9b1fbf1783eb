#!/usr/bin/env bash
# Prints the folder of a Go that can build imago. Where there is none, takes
# Debian's golang-go through apt, and with it the Go that go.mod names from the
# Go module proxy (golang.org/toolchain, where newer Go takes its upgrades from too).
set -euo pipefail
cd "$(dirname "$0")/.."

want=$(sed -n 's/^go //p' go.mod)

at_least() { # VERSION: whether the go on PATH is that new
  local have
  have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n' "$1" "${have#go}" | sort -V | head -n 1)" = "$1" ]
}

if at_least "$want"; then
  dirname "$(command -v go)"
  exit
fi
command -v go >/dev/null || e2e/deps.sh go=golang-go
if at_least 1.21; then
  GOTOOLCHAIN=auto go env GOROOT | sed 's,$,/bin,'
  exit
fi

echo "imago: taking Go $want from the Go module proxy" >&2
module=golang.org/toolchain@v0.0.1-go$want.$(go env GOOS)-$(go env GOARCH)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
go mod init scratch >/dev/null 2>&1
go mod download "$module" >&2
root=$(go env GOMODCACHE)/$module
chmod -R u+w "$root"
chmod +x "$root"/bin/* "$root"/pkg/tool/*/*
printf '%s\n' "$root/bin"
