#!/usr/bin/env bash
# sluice-sum as its user meets it: whole runs over awkward trees, compared with sha256sum.
#
# usage: end_to_end.sh PROGRAM [--no-signals]
#
# --no-signals: for a build with thread sanitizer, which keeps a signal back until its thread makes a call that it intercepts;
# a thread that sleeps on a futex makes none.
#
# Nothing here depends on speed: where a run must be caught in its middle, it hashes a file of a terabyte of holes.
set -u -m    # -m: a job in the background keeps its SIGINT
program=$(realpath -- "$1")
signals=${2:-}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sluice-sum-XXXXXX")
cd "$scratch" || exit 1
export LC_ALL=C
running=
cleanup() {
  if [ "$BASHPID" -ne $$ ]; then return; fi
  if [ -n "$running" ]; then kill -KILL "$running" 2> /dev/null; fi
  chmod -R u+rwx "$scratch" 2> /dev/null
  rm -rf "$scratch"
}
trap cleanup EXIT

failures=0
fail() {
  failures=$((failures + 1))
  echo "FAILED: $*"
  sed 's/^/  stderr: /' err 2> /dev/null | tail -n 5
}
check() {   # check WHAT COMMAND...
  local what=$1
  shift
  if "$@" > /dev/null 2>&1; then echo "ok: $what"; else fail "$what"; fi
}
ends() {    # ends STATUS WHAT COMMAND...: runs it with stdout to out and stderr to err
  local wanted=$1 what=$2 status=0
  shift 2
  "$@" > out 2> err || status=$?
  if [ "$status" -eq "$wanted" ]; then echo "ok: $what"; else fail "$what: status $status instead of $wanted"; fi
}
wait_for() {  # wait_for WHAT COMMAND...: a minute at most
  local what=$1 i
  shift
  for ((i = 0; i < 1200; ++i)); do
    if "$@" > /dev/null 2>&1; then return 0; fi
    sleep 0.05
  done
  fail "waited a minute for: $what"
  return 1
}
start() {   # start ARGUMENT...: in the background
  rm -f m err
  "$program" "$@" > out 2> err &
  running=$!
}
ended_with() {  # ended_with STATUS WHAT: waits for what start() began
  local status=0
  wait "$running" || status=$?
  running=
  if [ "$status" -eq "$1" ]; then echo "ok: $2"; else fail "$2: status $status instead of $1"; fi
}
reference() {  # what sha256sum prints for a tree, in the order of the names
  find "$1" -type f -print0 | tr '/' '\001' | sort -z | tr '\001' '/' | xargs -0 -r sha256sum
}
has_lines() { [ "$(wc -l < "$1")" -ge "$2" ]; }
whole_lines() { [ -s "$1" ] && [ "$(tail -c 1 "$1")" = "" ]; }

# A tree with what file systems allow.
make_tree() {
  mkdir -p tree/sub/deeper tree/empty 'tree/a dir'
  local i
  for ((i = 0; i < 300; ++i)); do printf 'file %d' "$i" > "tree/sub/$i"; done
  for name in 'two words' ' lead' 'trail ' $'new\nline' 'back\slash' $'carriage\rreturn' $'\xff\xfe' 'ä' "quote'" '"' '*' \
              '\' $'tab\t' '[a,b]' '-dash' '%%' $'ends\n' '\n' '#comment' '$HOME' $'\x7f\e[31m'; do
    printf 'content of %s' "$name" > "tree/$name"
    printf 'deeper %s' "$name" > "tree/a dir/$name"
  done
  : > tree/empty_file
  head -c 3000000 /dev/urandom > tree/sub/large
  printf x > tree/sub.x
  ln tree/sub/1 tree/hard_link
}
make_tree
reference tree > expected

echo "# manifests"
ends 0 "a tree is hashed" "$program" tree
check "and its manifest is sha256sum's, in the order of the names" cmp out expected
check "sha256sum --check --strict accepts it" sha256sum --check --strict --quiet out
check "the report has its figures" grep -q 'MB per CPU-second' err
check "and the walker's waits" grep -q 'walker was held back' err
ends 0 "one worker, one open file, queues of one" "$program" --workers 1 --open-files 1 --queue 1 --window 1 tree
check "give the same manifest" cmp out expected
ends 0 "eight workers" "$program" --workers 8 tree
check "give the same manifest" cmp out expected
ends 0 "--quiet" "$program" --quiet tree
check "says nothing" test ! -s err
ends 0 "--output" "$program" --output m tree
check "writes the file" cmp m expected
check "and nothing to stdout" test ! -s out
ends 0 "the current directory is the default" env -C tree "$program"
check "with paths that begin with ./" sh -c 'cd tree && sha256sum --check --strict --quiet ../out'
ends 0 "files, and trees with a slash at their end" "$program" tree/sub/large tree/sub/
check "are named as they were given" sh -c 'grep -q " tree/sub/large$" out && grep -q " tree/sub/299$" out'
printf dash > ./-dash; printf minus > ./-
ends 0 "names that begin with a dash" "$program" -- -dash -
check "are taken after --" sh -c 'sha256sum --check --strict --quiet out && grep -q "  ./-$" out'
ends 0 "the manifest may lie inside the tree" "$program" --output tree/manifest tree
check "and is left out" cmp tree/manifest expected
check "which is said" grep -q 'manifest of this very run' err
rm tree/manifest

echo "# long paths"
mkdir deep
( cd deep && name=$(printf 'd%.0s' {1..200}) && for ((i = 0; i < 30; ++i)); do mkdir "$name" && cd "$name" || exit 1; done && printf deep > leaf )
ends 0 "a path longer than the kernel takes" "$program" deep
check "is hashed" grep -q "^$(printf deep | sha256sum | cut -c 1-64)  deep/" out

echo "# errors"
cp -r tree bad
mkfifo bad/fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("bad/socket")'
ln -s ../bad bad/up
ln -s nowhere bad/dangling
ln -s self bad/self
ends 1 "special files are errors" "$program" bad
check "a fifo is named" grep -q 'bad/fifo is a fifo' err
check "a socket is named" grep -q 'bad/socket is a socket' err
check "links are counted" grep -q '3 symbolic links not followed' err
reference bad > expected_bad
check "the rest is done" cmp out expected_bad
ends 1 "--follow finds loops" "$program" --follow bad
check "up" grep -q 'bad/up leads back' err
check "to itself" grep -q 'bad/self leads back' err
check "and links to nowhere" grep -q 'bad/dangling cannot be read: No such file' err
check "the rest is done" cmp out expected_bad
ends 1 "what does not exist is an error" "$program" none tree
check "that is said" grep -q '^sluice-sum: none cannot be read: No such file or directory' err
check "the rest is done" cmp out expected
ends 1 "a device is an error" "$program" /dev/null
check "that is said" grep -q '/dev/null is a character device' err
ln -s tree root_link
ends 0 "a root that is a link is followed" "$program" root_link
check "and named as it was given" sha256sum --check --strict --quiet out

mkdir closed && printf a > closed/a && printf b > closed/b && mkdir closed/dir && printf c > closed/dir/c
chmod 0 closed/a closed/dir && chmod 755 . closed
as_nobody=()
if [ "$(id -u)" -eq 0 ]; then as_nobody=(setpriv --reuid=65534 --clear-groups); fi  # nobody denies root anything
cp "$program" ./program && chmod 755 program
ends 1 "what may not be read is an error" "${as_nobody[@]}" ./program closed
check "a file" grep -q 'closed/a cannot be read: Permission denied' err
check "a directory" grep -q 'The directory closed/dir cannot be listed: Permission denied' err
check "the rest is done" sh -c 'test "$(cut -c 65- out)" = "  closed/b"'
chmod 755 closed/dir

echo "# outputs that fail"
full() { "$program" tree > /dev/full; }
ends 1 "a full disk" full
check "is said" grep -q 'cannot be written to standard output: No space left on device' err
check "and counted" grep -q '^  1 error$' err
ends 1 "a full disk behind --output" "$program" --output /dev/full tree
check "is said" grep -q 'cannot be written to /dev/full: No space left on device' err
mkfifo pipe
closed_pipe() { ( exec 3<> pipe 4> pipe 3>&-; "$program" tree >&4 ); }
ends 1 "a closed pipe" closed_pipe
check "is said" grep -q 'cannot be written to standard output: Broken pipe' err
closed_stdout() { "$program" tree >&-; }
ends 1 "a closed stdout" closed_stdout
check "is said" grep -q 'Standard output is closed' err
ends 1 "an output that cannot be made" "$program" --output no/such/dir/m tree
check "is said" grep -q -- '--output no/such/dir/m: No such file or directory' err
ends 1 "an output that is a directory" "$program" --output tree tree
check "is said" grep -q -- '--output tree is a directory: name a file' err
small_disk() { ( trap '' XFSZ; ulimit -f 4; "$program" --output m tree ); }
ends 1 "a disk that fills up" small_disk
check "leaves whole lines" whole_lines m
check "that are right" sha256sum --check --strict --quiet m
ends 0 "and the run can go on from them" "$program" --resume m --output m tree
check "to the whole manifest" cmp m expected

echo "# wrong usage"
for wrong in "--workers 0" "--workers x" "--nonsense" "--progress maybe" "--drain-within -1" "--queue 0"; do
  # shellcheck disable=SC2086
  ends 2 "$wrong" "$program" $wrong tree
done
ends 0 "--help" "$program" --help
check "goes to stdout" grep -q -- --resume out
ends 0 "--version" "$program" --version
check "goes to stdout" grep -q '^sluice-sum' out

echo "# resume"
head -n 100 expected > part
ends 0 "from a part" "$program" --resume part --output m tree
check "gives the whole" cmp m expected
check "and says what it kept" grep -q '100 files kept' err
sort -R expected | head -n 150 > part
head -c 40 expected >> part
ends 0 "from lines in any order, the last one torn" "$program" --resume part tree
check "gives the whole" cmp out expected
check "and says that it was torn" grep -q 'not whole' err
printf 'nonsense\n' > part; head -n 5 expected >> part
ends 0 "from a file with other lines in it" "$program" --resume part tree
check "says how many" grep -q '^sluice-sum: 1 of the lines in part' err
check "gives the whole" cmp out expected
cp expected m
ends 0 "from a whole manifest into itself" "$program" --resume m --output m tree
check "changes nothing" cmp m expected
check "hashes nothing" grep -q '^sluice-sum: 0 files, 0 B' err
ends 1 "from a manifest that is not there" "$program" --resume none tree
check "is said" grep -q -- '--resume none: No such file' err
onto_itself() { "$program" --resume m tree >> m; }
ends 2 "from what stdout is appended to" onto_itself
check "is refused" grep -q -- '--output m' err
check "and harms nothing" cmp m expected

echo "# signals"
mkdir big && cp -r tree big/0 && truncate -s 1T big/1 && printf last > big/2
reference big/0 > expected_big
lines=$(wc -l < expected_big)
interrupted() {  # interrupted SIGNAL STATUS
  start --drain-within 0.1 --output m --workers 2 big
  wait_for "$lines lines of the manifest" has_lines m "$lines"
  kill "-$1" "$running"
  ended_with "$2" "SIG$1 ends a run with $2"
  check "and the manifest holds what was finished" sh -c "head -n $lines m | cmp - expected_big"
  check "each line whole and right" sha256sum --check --strict --quiet m
  check "it says how to go on" grep -q 'To go on: sluice-sum --resume m --output m big' err
  check "and what was left" grep -q 'found but not hashed' err
}
if [ "$signals" = --no-signals ]; then
  echo "skipped: everything about signals (--no-signals)"
  cp expected_big m
else
  interrupted INT 130
  interrupted TERM 143
fi
truncate -s 10 big/1
reference big > expected_big_whole
ends 0 "going on as it says" "$program" --resume m --output m big
check "gives the manifest of an uninterrupted run" cmp m expected_big_whole
truncate -s 1T big/1

if [ "$signals" != --no-signals ]; then
  start --drain-within 100000 --output m big
  wait_for "$lines lines of the manifest" has_lines m "$lines"
  kill -INT "$running"
  wait_for "a word on the first signal" grep -q 'Interrupted by SIGINT' err
  kill -TERM "$running"
  ended_with 130 "a second signal ends it at once"
  check "says so" grep -q 'ended at once' err
  check "and the manifest has whole lines" sha256sum --check --strict --quiet m
fi

start --output m big
wait_for "$lines lines of the manifest" has_lines m "$lines"
kill -KILL "$running"
ended_with 137 "a run that is killed"
check "leaves its finished lines" sha256sum --check --strict --quiet m

catches_signals() {  # whether the program handles SIGINT by now, or takes it by a descriptor
  local line
  [ "$(readlink "/proc/$running/exe")" = "$program" ] || return 1   # not bash any more
  while read -r line; do
    case $line in Sig[CB]*) if (( 0x${line##*$'\t'} & 2 )); then return 0; fi ;; esac
  done < "/proc/$running/status"
  return 1
}
mkfifo unread
exec 5<> unread   # a reader that never reads: 64 KiB go in, and the next write waits for ever
if [ "$signals" != --no-signals ]; then
  for ((i = 0; i < 50; ++i)); do cp -r tree/sub "tree/copy$i"; done
  start --drain-within 0.1 --output unread tree
  wait_for "handlers of signals" catches_signals
  kill -INT "$running"
  ended_with 130 "an output that nobody reads does not keep an interrupted run"
  rm -rf tree/copy*
fi
exec 5<&-

few_files() { ( ulimit -n 40; "$program" --open-files 100 tree ); }
ends 0 "a low limit on open files" few_files
check "is enough" cmp out expected
check "and said" grep -q 'ulimit -n' err

echo "# progress"
start --progress=always --output m big
wait_for "a bar with the time left" grep -q $'\r\e\\[K.*MB/s.*queues.*ETA' err
kill -KILL "$running"
ended_with 137 "a bar is drawn"
start --output m big
wait_for "a plain line" grep -q '^sluice-sum: 0:0.*MB/s.*ETA' err
check "no escapes without a terminal" sh -c '! grep -q "$(printf "\\033")" err'
kill -KILL "$running"
ended_with 137 "plain lines are written"
start --progress=never --output m big
wait_for "$lines lines of the manifest" has_lines m "$lines"
kill -KILL "$running"
ended_with 137 "--progress=never"
check "says nothing" test ! -s err

if [ "$failures" -ne 0 ]; then echo "$failures checks failed"; exit 1; fi
echo "all checks passed"
