# Sourced by up: the cluster's keys, certificates and kubeconfigs.
# shellcheck shell=bash

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# certificate NAME SUBJECT [NAMES]  signs a key pair of the cluster's authority, for clients and, with NAMES, for a server.
certificate() {
  local name=$1 subject=$2 names=${3:-}
  new_key "$name"
  openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
  openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out "$name.crt" 2>/dev/null -extfile <(
    echo keyUsage=digitalSignature
    echo "extendedKeyUsage=clientAuth${names:+,serverAuth}"
    echo "${names:+subjectAltName=$names}"
  )
  rm "$name.csr"
}

# kubeconfig NAME  prints a kubeconfig that logs in with NAME's certificate.
kubeconfig() {
  cat <<YAML
apiVersion: v1
kind: Config
current-context: $NODE_NAME
clusters: [{name: $NODE_NAME, cluster: {server: "$API_SERVER", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: $NODE_NAME, context: {cluster: $NODE_NAME, user: $1}}]
YAML
}

# make_pki  makes everything in PKI, once.
make_pki() (
  [ ! -d "$PKI" ] || exit 0
  umask 077
  rm -rf "$PKI.part"
  mkdir -p "$PKI.part"
  cd "$PKI.part" || exit
  new_key ca
  openssl req -x509 -new -key ca.key -subj /CN=doik-node-ca -days 365 -out ca.crt
  openssl genrsa -out service-accounts.key 2048 2>/dev/null
  openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null

  in_cluster=kubernetes.default.svc.cluster.local
  certificate kube-apiserver /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:$in_cluster,DNS:localhost,IP:127.0.0.1,IP:$API_SERVICE_IP,IP:$NODE_IP"
  certificate kube-apiserver-to-kubelet /O=system:masters/CN=kube-apiserver-to-kubelet
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" "DNS:$NODE_NAME,IP:$NODE_IP,IP:127.0.0.1"
  certificate kube-controller-manager /CN=system:kube-controller-manager
  certificate kube-scheduler /CN=system:kube-scheduler
  certificate kube-proxy /CN=system:kube-proxy
  certificate provisioner /CN=doik:provisioner
  certificate admin /O=system:masters/CN=admin
  for user in kubelet kube-controller-manager kube-scheduler kube-proxy provisioner admin; do kubeconfig $user > $user.conf; done
  mv "$PKI.part" "$PKI"
)
