# Running a list of steps, each with its log, its seconds and its counts of tests. Sourced by tools/test.

log_dir=build/test-logs
step_names=() step_seconds=() step_passed=() step_failed=()
steps_planned=0
step_process=

# When we are told to stop, the step stops too: each runs in a process group of its own.
stop_step() {
  if [ -n "$step_process" ]; then kill -TERM -- "-$step_process" 2> /dev/null || true; fi
  exit 130
}
trap stop_step INT TERM

# What the step is doing, from the end of its log: in place on a terminal, else a line a minute.
show_progress() {
  local log=$1 started=$2 beats=0 line
  while kill -0 "$step_process" 2> /dev/null; do
    sleep 0.5
    beats=$((beats + 1))
    if [ ! -t 1 ] && [ $((beats % 120)) -ne 0 ]; then continue; fi
    line=$(tail -c 400 "$log" | tr '\r' '\n' | tail -n 1 | tr -cd '[:print:]' | cut -c 1-90)
    if [ -t 1 ]; then
      printf '\r\033[K      %4d s  %s' $((SECONDS - started)) "$line"
    else
      printf '      %4d s  %s\n' $((SECONDS - started)) "$line"
    fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

# What a compiler, a test, the watchdog or a sanitizer complained of first, and the log's end.
show_failures() {
  local log=$1 complaint='(: Failure$|: error: |: runtime error: |ERROR: [A-Za-z]*Sanitizer|WARNING: Thread)|^(watchdog:|terminate called|FAIL )'
  {
    grep -E -A 8 "$complaint" "$log" | head -n 40 || true
    echo '...'
    tail -n 20 "$log"
  } | cut -c 1-240 | sed 's/^/      | /'
}

# run_step NAME TITLE COMMAND...: the command writes `PASSED FAILED` into the file $COUNTS.
run_step() {
  local name=$1 title=$2 started=$SECONDS status=0 passed=0 failed=0
  shift 2
  local log=$log_dir/$name.log counts=$log_dir/$name.counts
  rm -f "$counts"
  printf '[%d/%d] %s\n' $((${#step_names[@]} + 1)) "$steps_planned" "$title"
  set -m
  (set +m; trap - INT TERM; COUNTS=$counts "$@") > "$log" 2>&1 < /dev/null &
  step_process=$!
  set +m
  show_progress "$log" "$started"
  wait "$step_process" || status=$?
  step_process=
  if [ -s "$counts" ]; then read -r passed failed < "$counts"; fi
  if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
  step_names+=("$name") step_seconds+=($((SECONDS - started))) step_passed+=("$passed") step_failed+=("$failed")
  if [ "$failed" -eq 0 ]; then
    printf '      ok: %d passed in %d s\n' "$passed" $((SECONDS - started))
  else
    printf '      FAILED: %d passed, %d failed in %d s; from %s:\n' "$passed" "$failed" $((SECONDS - started)) "$log"
    show_failures "$log"
    printf '      repeat: tools/test %s\n' "$name"
  fi
}

# The table of all steps; its last line is `N passed, N failed`. Fails if anything failed.
summarise_steps() {
  local i passed=0 failed=0
  printf '\n%-12s %8s %8s %8s   %s\n' step seconds passed failed repeat
  for i in "${!step_names[@]}"; do
    printf '%-12s %8d %8d %8d   %s\n' "${step_names[i]}" "${step_seconds[i]}" "${step_passed[i]}" \
      "${step_failed[i]}" "tools/test ${step_names[i]}"
    passed=$((passed + step_passed[i])) failed=$((failed + step_failed[i]))
  done
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
