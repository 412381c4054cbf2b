# Sourced by up, down and run: where the lab is, and which process it is.
# shellcheck shell=bash
#
#   LAB   the running lab's folder: kubeconfig, logs, etcd's data

# shellcheck source-path=SCRIPTDIR source=../programs.sh
. "$(dirname "${BASH_SOURCE[0]}")/../programs.sh"

LAB=$STATE/lab
# Outside $STATE, because what down leaves there is nothing.
# shellcheck disable=SC2034
LAB_LOCK=$CACHE/lab/$(printf %s "$LAB" | git hash-object --stdin | cut -c1-12).lock

# process_start PID  prints when a process started, exactly enough to tell it from a later one with the same number; nothing
# if it has ended, even if it has not been reaped yet (a zombie).
process_start() {
  local state
  if [ -r "/proc/$1/stat" ]; then
    state=$(sed 's/.*) //' "/proc/$1/stat") # the third field and those that follow
    case $state in [ZX]*) return ;; esac
    echo "$(cat /proc/sys/kernel/random/boot_id)" "$(cut -d' ' -f20 <<<"$state")"
  else
    state=$(LC_ALL=C ps -o stat= -o lstart= -p "$1")
    case $state in Z*) return ;; esac
    echo "${state#* }"
  fi 2>/dev/null
}

# record_process PID  notes the process that is, or becomes, the lab.
record_process() {
  echo "$1 $(process_start "$1")" >"$LAB/process.part" && mv "$LAB/process.part" "$LAB/process"
}

# lab_pid  prints the lab's process id if it is alive; a process that merely got its number later isn't it.
lab_pid() {
  local pid start
  read -r pid start 2>/dev/null <"$LAB/process" || return 1
  [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ] || return 1
  echo "$pid"
}

# stop_lab  stops the lab if it runs and removes all of its files.
stop_lab() {
  local pid tries=0
  if pid=$(lab_pid); then
    kill -TERM "$pid" 2>/dev/null || true
    while lab_pid >/dev/null; do
      tries=$((tries + 1))
      [ $tries -ne 50 ] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -rf "${LAB:?}"
  rmdir "$STATE" 2>/dev/null || true # unless something else keeps its state there
}

# print_environment KUBECTL  prints what a shell has to export to use the lab.
# shellcheck disable=SC2016
print_environment() {
  local folders=$REPO/bin:${1%/*}
  printf 'export KUBECONFIG=%q\n' "$LAB/kubeconfig"
  printf 'export KUBECACHEDIR=%q\n' "$LAB/cache"
  case $PATH: in
    "$folders":*) ;;
    *) printf 'export PATH=%q:"$PATH"\n' "$folders" ;;
  esac
}
