# Sourced by the scripts of test/node: places, names and addresses. See README.md.
# shellcheck shell=bash

PATH=$PATH:/usr/sbin:/sbin

# needs_linux_root  ends the script, in one line, where the node can't run.
needs_linux_root() {
  local why=
  if [ "$(uname -s)" != Linux ]; then why="this is $(uname -s)"
  elif ! command -v apt-get >/dev/null; then why="there is no apt-get"
  elif [ "$(id -u)" != 0 ]; then why="you are not root"
  elif ! command -v go >/dev/null; then why="there is no go"
  else return 0
  fi
  printf 'test/node/%s needs Linux with apt-get, root and go: %s\n' "$(basename "$0")" "$why" >&2
  exit 1
}
needs_linux_root

. "$(dirname "${BASH_SOURCE[0]}")/../programs.sh"

mkdir -p "$STATE"
STATE=$(cd "$STATE" && pwd)
HERE=$REPO/test/node
NODE_CACHE=$CACHE/node
RUN=$STATE/node      # all that a running node writes; removed by down
PKI=$RUN/pki
LOGS=$RUN/logs
VOLUMES=$RUN/volumes
READY=$RUN/ready     # there when up has finished
IMPORTED=$RUN/images-imported
ADMIN=$RUN/kubeconfig

# Network namespace and cgroups are named after the state folder, so that two checkouts can run a node each.
NODE_ID=doik-$(printf %s "$RUN" | sha1sum | cut -c1-6)
NETNS=/run/netns/$NODE_ID

NODE_NAME=doik-node
NODE_IP=10.123.0.1
POD_CIDR=10.244.0.0/16
NODE_POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
API_SERVICE_IP=10.96.0.1
DNS_SERVICE_IP=10.96.0.10
API_SERVER=https://$NODE_IP:6443
PAUSE_IMAGE=registry.k8s.io/pause:3.10.1

KUBERNETES_BIN=$CACHE/kubernetes/v$K8S_VERSION-$GO_VERSION

# supervisor  prints the id of the process that holds the node together, if it lives.
supervisor() {
  local pid
  pid=$(cat "$RUN/pid" 2>/dev/null) && grep -qs "/$NODE_ID" "/proc/$pid/cgroup" && echo "$pid"
}

# is_up  is true when up has finished and the node still runs.
is_up() { [ -e "$READY" ] && supervisor >/dev/null; }

# in_node_network COMMAND…  runs it in the node's network namespace, and in the caller's other ones.
in_node_network() { nsenter --net="$NETNS" -- "$@"; }

kubectl_admin() { in_node_network "$KUBERNETES_BIN/kubectl" --kubeconfig="$ADMIN" --cache-dir="$RUN/cache" "$@"; }

# callers  prints this process and those above it.
callers() {
  local pid=$$
  while [ "${pid:-0}" -gt 1 ]; do
    echo "$pid"
    pid=$(awk '$1 == "PPid:" {print $2}' "/proc/$pid/status" 2>/dev/null)
  done
}

# leave_node_network ARGUMENT…  starts the script again, with its arguments, in the network from which run was called: nothing can be
# downloaded in the node's, where tests are. It is that of the first process above this one that is not in the node's.
leave_node_network() {
  local pid
  for pid in $(callers); do
    [ "$(ip netns identify "$pid")" = "$NODE_ID" ] && continue
    [ "$pid" = $$ ] || exec nsenter --net="/proc/$pid/ns/net" -- "$0" "$@"
    return
  done
  die "nothing can be downloaded: all processes above this one are in the node's network"
}

# cgroup2_only  tells a unified hierarchy (cgroup v2) from the older one with a tree for each controller.
cgroup2_only() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }

# enable_controllers CGROUP  lets a v2 cgroup's children have all the controllers that it has itself.
enable_controllers() {
  local controllers controller
  read -ra controllers < "$1/cgroup.controllers"
  for controller in "${controllers[@]}"; do echo "+$controller" > "$1/cgroup.subtree_control"; done
}
