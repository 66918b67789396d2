# Judges of openapi.yaml that are not ours: a tester that makes requests of it, generators of clients, a reader of OGC API Features.
# Read by `run`, which starts the service for them and counts what they say.

tools=target/contract
python=$tools/venv/bin/python
typescript=openapi-typescript@7.13.0

# Why the tools cannot be had, or nothing when they are there.
python_tools() {
  local wanted=tests/contract/requirements.txt
  cmp -s "$wanted" "$tools/installed" && return
  have python3 python3 || { echo "python3 is missing and cannot be installed"; return; }
  mkdir -p "$tools"
  python3 -m venv --clear "$tools/venv" >/dev/null 2>&1 ||
    { have_package python3-venv && python3 -m venv --clear "$tools/venv" >/dev/null 2>&1; } ||
    { echo "python3 here makes no virtual environments"; return; }
  "$python" -m pip install -q --disable-pip-version-check -r "$wanted" >"$tools/pip.log" 2>&1 ||
    { echo "the tools cannot be fetched from PyPI: $(tail -n 1 "$tools/pip.log")"; return; }
  cp "$wanted" "$tools/installed"
}

# Every operation is asked with what the contract allows and with what it does not. The seed is fixed, so that a run can be repeated;
# which checks are off, and why, stands in tests/contract/schemathesis.toml.
contract() {
  serve_demo || return 1
  # Where what is written goes, so that the demo stays whole for what is read.
  "$python" -c "import sys, requests; requests.put(sys.argv[1], json={'lat': 1, 'lon': 2}).raise_for_status()" \
    "http://$address/collections/scratch/items/2988507" || return 1
  (cd tests/contract && PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=hooks NO_COLOR=1 timeout 1200 \
    "../../$tools/venv/bin/st" --config-file schemathesis.toml run ../../openapi.yaml --url "http://$address" \
    --max-examples 50 --seed 20261121 --phases examples,coverage,fuzzing --report-dir "../../$tools/report")
  local verdict=$?
  stop_service
  [ ! -s "$log.err" ] || { echo "the service wrote to its log:" && cat "$log.err"; return 1; }
  return $verdict
}

# A client in Python is generated from the contract and makes real calls.
python_client() {
  rm -rf "$tools/client" && mkdir -p "$tools/client"
  PATH=$PATH:$PWD/$tools/venv/bin "$tools/venv/bin/openapi-python-client" generate --path openapi.yaml --meta none \
    --config tests/contract/client.yaml --output-path "$tools/client/nigh_client" --overwrite --fail-on-warning || return 1
  serve_demo || return 1
  PYTHONPATH=$tools/client PYTHONDONTWRITEBYTECODE=1 "$python" tests/contract/calls.py "http://$address"
  local verdict=$?
  stop_service
  return $verdict
}

# Types for TypeScript are generated from it.
typescript_types() {
  npx --yes "$typescript" openapi.yaml -o "$tools/types.d.ts" && grep -q 'uploadItems' "$tools/types.d.ts"
}

# OWSLib, which QGIS plugins and many scripts use, reads the service as OGC API Features.
ogc() {
  serve_demo || return 1
  PYTHONDONTWRITEBYTECODE=1 "$python" tests/contract/features.py "http://$address"
  local verdict=$?
  stop_service
  return $verdict
}

judges() {
  local missing
  missing=$(python_tools)
  if [ -n "$missing" ]; then
    for name in contract clients ogc; do skip $name "$missing"; done
  else
    step contract contract
    step clients python_client
    step ogc ogc
  fi
  if ! have npx npm; then
    skip types "npm is missing and cannot be installed"
  elif ! timeout 60 npm view "$typescript" version >/dev/null 2>&1; then
    skip types "npm cannot fetch $typescript"
  else
    mkdir -p "$tools"
    step types typescript_types
  fi
}
