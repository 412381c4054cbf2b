# Sourced by up and down: stops the node, whatever state it is in.
# shellcheck shell=bash

# node_cgroups  prints the node's cgroups, one in each hierarchy.
node_cgroups() { find /sys/fs/cgroup -name "$NODE_ID" -type d -prune 2>/dev/null || true; }

# node_processes  prints the processes in them.
node_processes() {
  local cgroup
  for cgroup in $(node_cgroups); do find "$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null || true; done | sort -un
}

# node_loop_devices  prints the loop devices on the volumes' files, and before each those that kubelet put on it.
node_loop_devices() {
  local device file
  losetup --list --noheadings --output NAME,BACK-FILE | while read -r device file; do
    case $file in "$VOLUMES"/*)
      losetup --associated "$device" | cut -d: -f1
      echo "$device"
      ;;
    esac
  done
}

# until_none SECONDS FUNCTION  waits until the function prints nothing.
until_none() {
  local tenths=$(($1 * 10))
  while [ -n "$("$2")" ]; do
    [ $((tenths -= 1)) -gt 0 ] || return 1
    sleep 0.1
  done
}

# stop_node  ends the node's processes and takes its loop devices, cgroups and network namespace away. Its mounts go with
# its processes: they are in their mount namespace. State is kept.
stop_node() {
  local pids device cgroup
  rm -f "$READY" "$IMPORTED"
  for _ in 1 2 3 4 5; do # again: something may have been starting
    mapfile -t pids < <(node_processes)
    [ ${#pids[@]} -gt 0 ] || break
    kill -KILL "${pids[@]}" 2>/dev/null || true
    until_none 5 node_processes || true
  done
  [ -z "$(node_processes)" ] || die "processes of the node don't end: $(node_processes | tr '\n' ' ')"

  if [ -e "$NETNS" ]; then # what was started in it with run, but not what called this script
    mapfile -t pids < <(ip netns pids "$NODE_ID" | grep -vxFf <(callers))
    [ ${#pids[@]} = 0 ] || kill -TERM "${pids[@]}" 2>/dev/null || true
    ip netns delete "$NODE_ID"
    # ip mounts this folder when it makes the first namespace, and would again.
    [ -n "$(ls /run/netns)" ] || umount /run/netns 2>/dev/null || true
  fi

  # The kernel detaches a mounted file's device when its mount goes, which may take a moment; raw ones stay.
  until_none 2 node_loop_devices || for device in $(node_loop_devices); do losetup --detach "$device" || true; done
  until_none 10 node_loop_devices || die "loop devices stay in use: $(node_loop_devices | tr '\n' ' ')"

  for cgroup in $(node_cgroups); do find "$cgroup" -depth -type d -exec rmdir {} +; done
  rm -f "$RUN/pid"
}
