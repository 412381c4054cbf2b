# Sourced by the scripts of test/lab and test/node: where things are kept, and how programs are built.
# shellcheck shell=bash
#
#   REPO     this checkout
#   CACHE    programs, images and packages, keyed by version; outside the checkout, shared by all of them.
#            KUBECTL_DOIK_CACHE sets another place.
#   STATE    what a running bed needs, one folder a checkout (KUBECTL_DOIK_STATE sets another place)

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${KUBECTL_DOIK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-doik}
STATE=${KUBECTL_DOIK_STATE:-$REPO/.run}

# The lab's go.mod is the one place that says which Kubernetes both beds run.
K8S_VERSION=$(awk '$1 == "k8s.io/kubernetes" {print substr($2, 2); exit}' "$REPO/test/lab/go.mod")
GO_VERSION=$(cd "$REPO" && go env GOVERSION)

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# digest FILE…  prints a short digest of the files' contents, a cache key.
digest() { cat "$@" | git hash-object --stdin | cut -c1-12; }

# build_go MODULE-FOLDER OUT PACKAGE [LDFLAGS]
#   Builds a Go program without cgo into OUT, atomically, and shows how far it is: a line that rewrites itself on a
#   terminal, a line every tenth part elsewhere. Kubernetes' programs of both beds are built with the same flags,
#   so that they share Go's build cache.
build_go() {
  local module=$1 out=$2 package=$3 ldflags=${4:-} name tty=0 total started=$SECONDS log
  name=$(basename "$out")
  [ -t 2 ] && tty=1
  mkdir -p "$(dirname "$out")"
  log=$(mktemp "$out.log.XXXXXX")
  say "building $name (cached in $CACHE; the first build takes minutes, the next ones seconds)"
  if ! (
    cd "$module" || exit
    export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off
    total=$(go list -deps "$package" 2>>"$log" | wc -l) || exit
    go build -v -trimpath -ldflags "-s -w $ldflags" -o "$out.part" "$package" 2>&1 |
      tee -a "$log" | awk -v total="$total" -v tty=$tty -v name="$name" '
        /^go: downloading/ { if (tty) printf "\r\033[K  %s: downloading %s", name, $3; next }
        /^[^ ]+$/ { n++
          if (tty) printf "\r\033[K  %s: %d of %d packages", name, n, total
          else if (int(10*n/total) > tenth) { tenth = int(10*n/total); printf "  %s: %d of %d packages\n", name, n, total }
          fflush() }
        END { if (tty) printf "\r\033[K" }' >&2
    exit "${PIPESTATUS[0]}"
  ); then
    grep -vE '^(go: downloading|[^ ]+$)' "$log" >&2 || tail -n 5 "$log" >&2
    rm -f "$log" "$out.part"
    die "building $name failed"
  fi
  rm -f "$log"
  mv "$out.part" "$out"
  say "built $name in $((SECONDS - started)) s"
}

# build_missing …  is build_go, unless another process built OUT while this process waited for a lock.
build_missing() { [ -x "$2" ] || build_go "$@"; }

# install_tool OUT PACKAGE@VERSION  builds a Go program into the cache, unless it is there.
install_tool() { [ -x "$1" ] || with_lock "$1.lock" install_missing "$@"; }

install_missing() {
  [ ! -x "$1" ] || return 0
  say "building ${2##*/} (cached in $CACHE; it may take minutes)"
  GOFLAGS='' GOWORK=off CGO_ENABLED=0 GOBIN=$(dirname "$1") go install "$2"
}

# kubernetes_ldflags  makes Kubernetes' programs report their real version.
kubernetes_ldflags() {
  local package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.gitVersion=v%s -X %s.gitMajor=%s -X %s.gitMinor=%s -X %s.gitTreeState=archive -X %s.gitCommit=go-module -X %s.buildDate=2026-01-01T00:00:00Z ' \
      "$package" "$K8S_VERSION" "$package" "${K8S_VERSION%%.*}" "$package" "$(cut -d. -f2 <<<"$K8S_VERSION")" "$package" "$package" "$package"
  done
}

# kubernetes_program NAME [PACKAGE]  prints the path of one of Kubernetes' own programs, built first if it is missing.
kubernetes_program() {
  local out=$CACHE/kubernetes/v$K8S_VERSION-$GO_VERSION/$1
  [ -x "$out" ] || with_lock "$out.lock" build_missing "$REPO/test/lab" "$out" "${2:-k8s.io/kubernetes/cmd/$1}" "$(kubernetes_ldflags)"
  echo "$out"
}

# with_lock FILE COMMAND…  runs the command while it holds the lock, so that two runs never build the same thing at once.
with_lock() {
  local lock=$1; shift
  mkdir -p "$(dirname "$lock")"
  (
    ! command -v flock >/dev/null || flock 9 # macOS has none; there the last one to finish wins
    "$@"
  ) 9>"$lock"
}
