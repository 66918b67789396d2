# The map page: what is committed against its source, and the page in a browser. Read by `run`.

# Why the packages of the page cannot be had, or nothing when they are there.
page_packages() {
  have npm npm || { echo "npm is missing and cannot be installed"; return; }
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    { echo "Node $(node --version) is older than 20.19"; return; }
  web/check.sh packages >"$log" 2>&1 || echo "npm cannot fetch the packages: $(tail -n 1 "$log")"
}

page() {
  local missing
  missing=$(page_packages)
  if [ -n "$missing" ]; then
    for name in web browser; do skip $name "$missing"; done
    return
  fi
  step web web/check.sh web
  if ! have "${NIGH_CHROMIUM:-chromium}" chromium; then
    skip browser "chromium is missing and cannot be installed"
  else
    NIGH_CHROMIUM=$(command -v "${NIGH_CHROMIUM:-chromium}") step browser web/check.sh browser
  fi
}
