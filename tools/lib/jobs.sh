# How many compilers at once: one per processor, and 1.5 GiB of memory for each. Sourced.
build_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)
  if [ "${memory:-1}" -lt 1 ]; then memory=1; fi
  if [ "$memory" -lt "$processors" ]; then echo "$memory"; else echo "$processors"; fi
}
