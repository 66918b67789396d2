# The commands of README.md, as a reader would type them, one after the other against one service.
# Read by `run`, which starts the service.

# Every block of commands in README.md.
readme_commands() { sed -n '/^```sh$/,/^```$/{/^```/d;p;}' README.md; }

readme() {
  local folder verdict=0 nigh=$PWD/target/release/nigh
  serve_demo || return 1
  folder=$(mktemp -d)
  {
    echo 'set -euo pipefail'
    # What follows changes is ended by its own --max-time. What needs the repository was run before.
    echo 'curl() { local code=0; command curl -sS --fail-with-body "$@" || code=$?; [ $code = 28 ] || return $code; }'
    echo 'cargo() { :; }'
    echo "nigh() { '$nigh' \"\$@\"; }"
    readme_commands | sed "s/localhost:6444/$address/g"
  } >"$folder/commands"
  mkdir "$folder/here"
  (cd "$folder/here" && timeout 300 bash -x ../commands) >"$folder/said" 2>"$folder/told" || verdict=$?
  if [ $verdict = 0 ]; then
    grep -c '^+ \(curl\|nigh\) ' "$folder/told" | sed 's/$/ commands, all of them fine/'
  else
    echo "one of the commands ended with $verdict:" && tail -n 12 "$folder/told" && tail -n 12 "$folder/said"
  fi
  stop_service
  rm -rf "$folder"
  return $verdict
}
