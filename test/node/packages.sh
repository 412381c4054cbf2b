# Sourced by up: the Debian packages and the Go programs that the node needs.
# shellcheck shell=bash

# --- Debian packages

# What these scripts themselves call is installed if it is missing.
HOST_COMMANDS=(ip:iproute2 jq:jq mkfs.ext4:e2fsprogs openssl:openssl losetup:mount nsenter:util-linux pgrep:procps git:git make:make)

# What only the node runs, or only the making of images, is unpacked in a folder of its own: the machine keeps its
# packages. runc is Debian's because it needs cgo, and without libseccomp it starts no pod.
NODE_COMMANDS=(nft:nftables runc:runc mmdebstrap:mmdebstrap)
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# missing COMMAND:PACKAGE…  prints the packages whose command isn't there.
missing() {
  local pair
  for pair; do command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"; done
}

# apt_install ARGUMENT…  is apt-get install, after an update if apt doesn't know the packages (yet).
apt_install() {
  local apt=(apt-get -qq -y -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root)
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" install --no-install-recommends "$@" >/dev/null 2>&1 && return
  say "apt-get update"
  "${apt[@]}" update >&2 || say "apt-get update had errors; going on with the lists there are"
  "${apt[@]}" install --no-install-recommends "$@" >&2
}

host_packages() {
  local packages
  mapfile -t packages < <(missing "${HOST_COMMANDS[@]}")
  [ ${#packages[@]} = 0 ] || { say "installing ${packages[*]}"; apt_install "${packages[@]}"; }
}

# node_packages  unpacks what NODE_COMMANDS lacks into TOOLS, with the libraries that the machine doesn't have. TOOLS/usr
# is laid over the node's /usr.
node_packages() {
  local packages key deb folder
  mapfile -t packages < <(missing "${NODE_COMMANDS[@]}")
  [ -e $DEBIAN_KEYRING ] || packages+=(debian-archive-keyring)
  key=$(. /etc/os-release; echo "$ID-${VERSION_ID:-testing}-$(dpkg --print-architecture) ${packages[*]}" | git hash-object --stdin | cut -c1-12)
  TOOLS=$NODE_CACHE/packages/$key
  [ ! -d "$TOOLS" ] || return 0
  rm -rf "$TOOLS.part"
  mkdir -p "$TOOLS.part/usr" "$TOOLS.part/debs/partial"
  if [ ${#packages[@]} -gt 0 ]; then
    say "unpacking Debian's ${packages[*]}"
    # No lock of dpkg's is needed: nothing is installed.
    apt_install --download-only -o Debug::NoLocking=true -o Dir::Cache::archives="$TOOLS.part/debs" "${packages[@]}"
    for deb in "$TOOLS.part/debs"/*.deb; do dpkg-deb -x "$deb" "$TOOLS.part"; done
    for folder in bin sbin lib lib64; do # packages from before the merge of / and /usr
      [ -d "$TOOLS.part/$folder" ] || continue
      mkdir -p "$TOOLS.part/usr/$folder"
      cp -a "$TOOLS.part/$folder/." "$TOOLS.part/usr/$folder/"
      rm -rf "${TOOLS:?}.part/$folder"
    done
  fi
  rm -rf "$TOOLS.part/debs"
  mv "$TOOLS.part" "$TOOLS"
}

# --- Go programs

CONTAINERD_BIN=$NODE_CACHE/containerd/$(digest "$HERE/containerd/go.mod" "$HERE/containerd/go.sum")-$GO_VERSION
COREDNS_BIN=$NODE_CACHE/coredns/$(digest "$HERE/coredns/go.mod" "$HERE/coredns/go.sum" "$HERE/coredns/main.go")-$GO_VERSION
PAUSE_BIN=$NODE_CACHE/pause/$(digest "$HERE/pause/main.go")-$GO_VERSION
PROVISIONER_BIN=$NODE_CACHE/provisioner/$({
  find "$HERE/provisioner" -name '*.go' ! -name '*_test.go' | sort | xargs cat
  awk '$1 ~ "^k8s.io/(api|apimachinery|client-go)$" {print $1, $2}' "$REPO/go.mod"
} | git hash-object --stdin | cut -c1-12)-$GO_VERSION

CNPG_BIN=$NODE_CACHE/cnpg/$(digest "$HERE/cnpg/go.mod" "$HERE/cnpg/go.sum")-$GO_VERSION
CNPG_MANIFEST=$CNPG_BIN/operator.yaml

MARIADB_OPERATOR_BIN=$NODE_CACHE/mariadb-operator/$(digest "$HERE/mariadb-operator/go.mod" "$HERE/mariadb-operator/go.sum")-$GO_VERSION
MARIADB_OPERATOR_MANIFESTS=$MARIADB_OPERATOR_BIN/manifests # of its kinds, roles and webhooks
MARIADB_OPERATOR_IMAGE=docker-registry3.mariadb.com/mariadb-operator/mariadb-operator:node
MARIADB_OPERATED_IMAGE=docker-registry1.mariadb.com/library/mariadb:11.8 # it reads the version from the tag

# go_program FOLDER/NAME MODULE PACKAGE  builds one of this folder's own programs if it is missing.
go_program() { build_missing "$2" "$1" "$3"; }

go_programs() {
  local name
  kubernetes_program etcd go.etcd.io/etcd/server/v3
  for name in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do kubernetes_program $name; done
  for name in containerd containerd-shim-runc-v2 ctr; do
    go_program "$CONTAINERD_BIN/$name" "$HERE/containerd" github.com/containerd/containerd/v2/cmd/$name
  done
  for name in main/ptp main/loopback ipam/host-local; do
    go_program "$CONTAINERD_BIN/cni/${name#*/}" "$HERE/containerd" github.com/containernetworking/plugins/plugins/$name
  done
  go_program "$COREDNS_BIN/coredns" "$HERE/coredns" .
  go_program "$PAUSE_BIN/pause" "$REPO" ./test/node/pause
  go_program "$PROVISIONER_BIN/provisioner" "$REPO" ./test/node/provisioner
}

# cnpg_program  builds the CloudNativePG operator, on demand: it takes a core five minutes. The manifest of its release is in its module.
cnpg_program() {
  local name=github.com/cloudnative-pg/cloudnative-pg module version
  go_program "$CNPG_BIN/manager" "$HERE/cnpg" $name/cmd/manager
  [ ! -s "$CNPG_MANIFEST" ] || return 0
  module=$(cd "$HERE/cnpg" && GOWORK=off go mod download -json $name)
  version=$(jq -r .Version <<<"$module")
  cp "$(jq -r .Dir <<<"$module")/releases/cnpg-${version#v}.yaml" "$CNPG_MANIFEST.part"
  chmod u+w "$CNPG_MANIFEST.part" # the module cache is read-only
  mv "$CNPG_MANIFEST.part" "$CNPG_MANIFEST"
}

# mariadb_operator_program  builds mariadb-operator, on demand: it takes a core five minutes. Its manifests are in its module, and the script by which
# its servers are started.
mariadb_operator_program() {
  local name=github.com/mariadb-operator/mariadb-operator module part=$MARIADB_OPERATOR_BIN/part
  go_program "$MARIADB_OPERATOR_BIN/mariadb-operator" "$HERE/mariadb-operator" $name/cmd/controller
  [ ! -d "$MARIADB_OPERATOR_MANIFESTS" ] || return 0
  module=$(cd "$HERE/mariadb-operator" && GOWORK=off go mod download -json $name | jq -r .Dir)
  rm -rf "$part"
  mkdir -p "$part/crds" "$part/rbac"
  cp "$module"/config/crd/bases/*.yaml "$part/crds"
  cp "$module"/config/rbac/{service_account,role,role_binding,leader_election_role,leader_election_role_binding}.yaml "$part/rbac"
  cp "$module/config/webhook/manifests.yaml" "$part/webhooks.yaml"
  cp "$module/pkg/embed/mariadb-docker/11.8/docker-entrypoint.sh" "$part"
  chmod -R u+w "$part" # the module cache is read-only
  mv "$part" "$MARIADB_OPERATOR_MANIFESTS"
}
