# Read by the other scripts: nothing that they run may go on for ever. A program ends after as much processor time as no
# test takes, ten minutes (a busy machine changes nothing of that), a script that waits for nothing after two hours.
ulimit -t "${LIMIT:-600}" 2>/dev/null
if [ -z "${LIMITED:-}" ] && command -v timeout >/dev/null; then
  LIMITED=1 timeout 7200 sh "$0" "$@"
  limit_status=$?
  [ $limit_status != 124 ] || echo "FAIL $(basename "$0" .sh): not done after two hours; what is missing above was not run"
  exit $limit_status
fi
