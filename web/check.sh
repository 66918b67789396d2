#!/usr/bin/env bash
# Checks of the map page: `web/check.sh web` needs npm, `web/check.sh browser` a built program and a Chromium as well.
set -euo pipefail
cd "$(dirname "$0")"

# node_modules as the lock file has them.
packages() {
  if ! cmp -s package-lock.json node_modules/.locked; then
    npm ci --ignore-scripts --no-audit --no-fund && cp package-lock.json node_modules/.locked
  fi
}

case ${1:-} in
  packages) packages ;;
  web) packages && npm run -s typecheck && npm run -s unit && npm run -s fresh ;;
  browser) packages && npm run -s browser ;;
  *) echo "usage: $0 packages|web|browser" >&2 && exit 2 ;;
esac
