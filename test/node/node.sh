#!/bin/bash
# The node's first process, started by up in namespaces of its own: sets the node's mounts up, then runs every component
# in a loop that starts it again when it ends. When this process ends, the kernel ends everything else in the node and
# takes its mounts away.
set -euo pipefail
. "$(dirname "$0")/env.sh"

# --- Mounts. Nothing of this is seen outside.

mount --make-rprivate /
mount -t proc proc /proc
mount -t sysfs sysfs /sys

# The cgroup namespace's root, that is the node's own cgroups, where every machine has its cgroups.
if [ -s "$RUN/cgroup2" ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  enable_controllers /sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=: read -r _ controllers _; do
    [ -n "$controllers" ] || continue # the hybrid layout's cgroup v2 tree, which has no controllers
    folder=/sys/fs/cgroup/${controllers#name=}
    mkdir "$folder"
    case $controllers in
    name=*) mount -t cgroup -o "none,$controllers" cgroup "$folder" ;;
    *,*)
      mount -t cgroup -o "$controllers" cgroup "$folder"
      for controller in ${controllers//,/ }; do ln -s "$controllers" "/sys/fs/cgroup/$controller"; done
      ;;
    *) mount -t cgroup -o "$controllers" cgroup "$folder" ;;
    esac
  done < /proc/self/cgroup
fi

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
# What the node writes to these goes to its own state.
for folder in etc opt var/lib; do
  mkdir -p "$RUN/overlay/$folder" "$RUN/overlay-work/$folder"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$RUN/overlay/$folder,workdir=$RUN/overlay-work/$folder" "/$folder"
done
mount -t overlay overlay -o "ro,lowerdir=$TOOLS/usr:/usr" /usr
mkdir -p "$RUN/kubelet" "$RUN/log/pods" "$RUN/log/containers" /var/lib/kubelet
mount --bind "$RUN/kubelet" /var/lib/kubelet
mount --bind "$RUN/log" /var/log

# kubelet wants these values and would change the machine's kernel: it finds them here instead.
mkdir -p /run/sysctl
while read -r name value; do
  [ -e "/proc/sys/$name" ] || continue
  echo "$value" > "/run/sysctl/${name//\//.}"
  mount --bind "/run/sysctl/${name//\//.}" "/proc/sys/$name"
done <<SYSCTLS
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SYSCTLS
mount --make-rshared / # mounts must reach containers

hostname $NODE_NAME
rm -f /etc/hosts /etc/resolv.conf
printf '127.0.0.1 localhost\n%s %s\n' $NODE_IP $NODE_NAME > /etc/hosts
echo '# The node has no way out, and so no resolver but the cluster.' > /etc/resolv.conf
echo 1 > /proc/sys/net/ipv4/ip_forward

# Volumes of an earlier run, before kubelet can start a pod on the empty folder below.
"$PROVISIONER_BIN/provisioner" --volumes="$VOLUMES" --attach-only >> "$LOGS/provisioner.log" 2>&1

# --- Configuration

mkdir -p /etc/cni/net.d /etc/containerd
# A pair of interfaces for each pod and a route to it, no bridge: so every packet passes kube-proxy's rules.
cat > /etc/cni/net.d/10-doik.conflist <<JSON
{"cniVersion": "1.0.0", "name": "doik", "plugins": [
  {"type": "ptp", "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "$NODE_POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON

cat > /etc/containerd/config.toml <<TOML
version = 3
root = "$RUN/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp", "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "$PAUSE_IMAGE"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true # root without CAP_SYS_RESOURCE may not lower it, and no pod would start
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["$CONTAINERD_BIN/cni"]
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = false
TOML

cat > /etc/kubelet.yaml <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $PKI/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDNS: [$DNS_SERVICE_IP]
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
makeIPTablesUtilChains: false
volumeStatsAggPeriod: 5s # a minute by default: tests would wait for it
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100 # an image that is gone can't be pulled again
YAML

cat > /etc/kube-proxy.yaml <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $PKI/kube-proxy.conf}
hostnameOverride: $NODE_NAME
mode: nftables
clusterCIDR: $POD_CIDR
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML

# --- Components

# keep NAME COMMAND…  runs it, logs it, and starts it again a second after it ends.
keep() {
  local name=$1
  shift
  while :; do
    "$@" >> "$LOGS/$name.log" 2>&1 || true
    echo "--- $name ended at $(date -Is), starts again in 1 s" >> "$LOGS/$name.log"
    sleep 1
  done &
}

# import_images ARCHIVE…  gives containerd the images it doesn't have yet.
import_images() {
  local archive mark
  until ctr version >/dev/null 2>&1; do sleep 0.1; done
  for archive; do
    mark=$RUN/containerd/imported-$(basename "$archive")
    [ -e "$mark" ] && continue
    # Unpacked layers needn't be kept packed as well.
    ctr -n k8s.io images import --local --discard-unpacked-layers "$archive" && touch "$mark"
  done
}

keep containerd containerd --config=/etc/containerd/config.toml
keep etcd etcd --name=$NODE_NAME --data-dir="$RUN/etcd" --unsafe-no-fsync \
  --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
  --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
  --initial-cluster=$NODE_NAME=http://127.0.0.1:2380
keep kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
  --advertise-address=$NODE_IP --secure-port=6443 --service-cluster-ip-range=$SERVICE_CIDR \
  --tls-cert-file="$PKI/kube-apiserver.crt" --tls-private-key-file="$PKI/kube-apiserver.key" --client-ca-file="$PKI/ca.crt" \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file="$PKI/service-accounts.pub" --service-account-signing-key-file="$PKI/service-accounts.key" \
  --kubelet-client-certificate="$PKI/kube-apiserver-to-kubelet.crt" --kubelet-client-key="$PKI/kube-apiserver-to-kubelet.key" \
  --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP
keep kube-controller-manager kube-controller-manager --kubeconfig="$PKI/kube-controller-manager.conf" \
  --service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt" --use-service-account-credentials \
  --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
  --allocate-node-cidrs --cluster-cidr=$POD_CIDR --leader-elect=false --bind-address=127.0.0.1 \
  --kube-api-qps=200 --kube-api-burst=400 # the default of 20 a second makes its start take four seconds longer
keep kube-scheduler kube-scheduler --kubeconfig="$PKI/kube-scheduler.conf" --leader-elect=false --bind-address=127.0.0.1
keep kube-proxy kube-proxy --config=/etc/kube-proxy.yaml
keep provisioner "$PROVISIONER_BIN/provisioner" --volumes="$VOLUMES" --node=$NODE_NAME --kubeconfig="$PKI/provisioner.conf"

# The images of the cluster's own pods come before kubelet, so that no pull is tried and put off; the others meanwhile.
mapfile -t images < "$RUN/images"
import_images "${images[@]:0:2}" >> "$LOGS/images.log" 2>&1
{ import_images "${images[@]:2}" && touch "$IMPORTED"; } >> "$LOGS/images.log" 2>&1 &
keep kubelet kubelet --config=/etc/kubelet.yaml --kubeconfig="$PKI/kubelet.conf" --hostname-override=$NODE_NAME --node-ip=$NODE_IP

while :; do wait -n || sleep 1; done
