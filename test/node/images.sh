# Sourced by up and add: the container images, made from Debian packages, or from programs built here. No registry.
# Each image is a function that lays its root file system out and says its names and configuration. Some stand in for
# images of the same name: the study's commands name those, and what they are used for works the same.
# shellcheck shell=bash

# In the order of their import: the cluster itself needs the first two.
IMAGES=(pause coredns nginx haproxy netshoot busybox mariadb mariadb_newer mysql)
# Those that most tests don't need are made and imported by add: postgres, cnpg, mariadb_operator, mariadb_operated.

ARCH=$(dpkg --print-architecture)
IMAGE_PATH=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
NGINX_IMAGES=(registry.k8s.io/nginx-slim:0.24 docker.io/library/nginx:latest)

image_pause() {
  names=("$PAUSE_IMAGE")
  config='{Entrypoint: ["/pause"], User: "65535:65535"}'
  tar -C "$PAUSE_BIN" -cf "$layer" pause
}

image_coredns() {
  names=(registry.k8s.io/coredns/coredns:doik)
  config='{Entrypoint: ["/coredns"], WorkingDir: "/"}'
  tar -C "$COREDNS_BIN" -cf "$layer" coredns
}

image_nginx() {
  names=("${NGINX_IMAGES[@]}")
  config='{Env: [$path], Cmd: ["nginx", "-g", "daemon off;"], StopSignal: "SIGQUIT"}'
  debian bookworm nginx-light,curl <<'HOOK'
mkdir -p usr/share/nginx/html var/log/nginx var/lib/nginx etc/nginx/sites-enabled
ln -sf /dev/stdout var/log/nginx/access.log
ln -sf /dev/stderr var/log/nginx/error.log
echo 'server { listen 80 default_server; root /usr/share/nginx/html; autoindex on; }' > etc/nginx/sites-enabled/default
HOOK
}

image_haproxy() {
  names=(docker.io/library/haproxy:2.6)
  config='{Env: [$path], Cmd: ["haproxy", "-db", "-f", "/etc/haproxy/haproxy.cfg"]}'
  debian bookworm haproxy </dev/null
}

# The toolbox of the study's DNS exercises, also under the names that Kubernetes' documentation uses for debug pods.
image_netshoot() {
  names=(docker.io/nicolaka/netshoot:latest docker.io/nicolaka/netshoot:v0.13 docker.io/library/busybox:1.28 registry.k8s.io/e2e-test-images/agnhost:2.39)
  config='{Env: [$path], Cmd: ["zsh"]}'
  debian bookworm iproute2,iputils-ping,bind9-dnsutils,bind9-host,curl,netcat-openbsd,zsh </dev/null
}

# BusyBox and nothing else: its nslookup is not bind's.
image_busybox() {
  names=(docker.io/library/busybox:1.35)
  config='{Env: [$path], Cmd: ["sh"]}'
  debian bookworm busybox-static </dev/null
  local root=$work/root applet
  mkdir -p "$root"/{bin,etc,run,tmp,var}
  tar -C "$root" -xf "$layer" ./bin/busybox
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  chmod 1777 "$root/tmp"
  tar --owner=0 --group=0 -C "$root" -cf "$layer" .
}

image_mysql() {
  names=(docker.io/library/mysql:9.7)
  config='{Env: [$path], Cmd: ["mysqld"]}'
  mysql_layout | debian sid mysql-server-core,mysql-client-core
  mysql_run
}

image_mariadb() {
  names=(docker.io/library/mariadb:10.11)
  config='{Env: [$path], Cmd: ["mariadbd"]}'
  mysql_layout | debian bookworm mariadb-server-core,mariadb-client-core,galera-4
  mysql_run
}

# A second version, for servers of a set that differ.
image_mariadb_newer() {
  names=(docker.io/library/mariadb:11.8)
  config='{Env: [$path], Cmd: ["mariadbd"]}'
  mysql_layout | debian trixie mariadb-server-core,mariadb-client-core
  mysql_run
}

# PostgreSQL 17, with Patroni 4.0: two megabytes, and 30 of Python. The second name is that of CloudNativePG's own images; it reads
# the major version from the tag.
image_postgres() {
  names=(docker.io/library/postgres:17 ghcr.io/cloudnative-pg/postgresql:17)
  config='{Env: [("PATH=/usr/lib/postgresql/17/bin:" + ($path | ltrimstr("PATH="))), "LANG=C.UTF-8"], Cmd: ["postgres"], User: "26"}'
  postgres_layout | debian trixie postgresql-17,patroni,python3-psycopg2
}

# The operator: its program, and nothing else. Where it looks for itself under operator/manager_ARCH, it finds the architectures whose
# instances it can run. They get a copy of it from an init container of this image.
image_cnpg() {
  mapfile -t names < <(awk '$1 == "image:" && NF == 2 {print $2}' "$CNPG_MANIFEST" | sort -u)
  config='{Entrypoint: ["/manager"], WorkingDir: "/", User: "65532:65532"}'
  mkdir -p "$work/root/operator"
  cp "$CNPG_BIN/manager" "$work/root/operator/manager_$ARCH"
  ln -s "operator/manager_$ARCH" "$work/root/manager"
  tar --owner=65532 --group=65532 -C "$work/root" -cf "$layer" manager operator
}

# mariadb-operator: one program for all that it runs beside servers.
image_mariadb_operator() {
  names=("$MARIADB_OPERATOR_IMAGE")
  config='{Entrypoint: ["/mariadb-operator"], WorkingDir: "/", User: "65532:65532"}'
  tar --owner=0 --group=0 -C "$MARIADB_OPERATOR_BIN" -cf "$layer" mariadb-operator
}

# MariaDB 11.8 as mariadb-operator expects it: the entrypoint that it has for this version, user 999, both folders of configuration, and what state
# transfers need. Those are in mariadb-server, which wants Perl for other things.
image_mariadb_operated() {
  names=("$MARIADB_OPERATED_IMAGE")
  config='{Env: [$path, "MARIADB_VERSION=11.8"], Entrypoint: ["docker-entrypoint.sh"], Cmd: ["mariadbd"], User: "999:999"}'
  { mysql_layout; operated_layout; } | debian trixie mariadb-server,mariadb-client,mariadb-backup,galera-4,socat,rsync,iproute2,lsof,openssl
  mysql_run
  install -D -m 755 -t "$work/entrypoint/usr/local/bin" "$MARIADB_OPERATOR_MANIFESTS/docker-entrypoint.sh"
  tar --owner=0 --group=0 -C "$work/entrypoint" -rf "$layer" ./usr/local/bin/docker-entrypoint.sh
}

# operated_layout  prints the rest of the hook. With user=mysql, mariadb-install-db would change owners, which takes root.
operated_layout() {
  cat <<'HOOK'
rm -rf etc/mysql/mariadb.conf.d etc/mysql/mariadb.cnf etc/mysql/conf.d
mkdir -p etc/mysql/mariadb.conf.d etc/mysql/conf.d docker-entrypoint-initdb.d
echo '!includedir /etc/mysql/mariadb.conf.d/' >> etc/mysql/my.cnf
sed -i '/^user=/d' etc/mysql/my.cnf
rm -rf usr/share/perl usr/share/perl5 usr/lib/*/perl usr/lib/*/perl5 usr/lib/*/libperl.so* usr/bin/perl*
[ -e usr/bin/awk ] || ln -s gawk usr/bin/awk
HOOK
}

# postgres_layout  prints the hook that makes user postgres (26, as CloudNativePG runs it) and leaves out what only Debian's wrappers in
# Perl, the JIT and the making of locales need: over 200 MB. C.UTF-8 is built in.
postgres_layout() {
  cat <<'HOOK'
sed -i '/^postgres:/d' etc/passwd
sed -i '/^postgres:/d; /:26:/d' etc/group
echo 'postgres:x:26:26::/var/lib/postgresql:/bin/bash' >> etc/passwd
echo 'postgres:x:26:' >> etc/group
mkdir -p var/lib/postgresql/data
chown -R 26:26 var/lib/postgresql
chmod 700 var/lib/postgresql/data
rm -f usr/bin/psql usr/bin/pg_* usr/bin/createdb usr/bin/dropdb
rm -rf usr/share/i18n usr/share/locales usr/share/perl usr/share/perl5 usr/lib/*/perl usr/lib/*/perl5 usr/lib/*/libperl.so* usr/bin/perl*
rm -rf usr/lib/*/libLLVM* usr/lib/*/libz3.so* usr/lib/postgresql/*/lib/llvmjit* usr/lib/postgresql/*/lib/bitcode
sed -i 's/^#\?jit = .*/jit = off/' usr/share/postgresql/*/postgresql.conf.sample
HOOK
}

# mysql_layout  prints the hook that makes user mysql (999, as in the images of Docker's library), its folders and
# its configuration.
mysql_layout() {
  cat <<'HOOK'
echo 'mysql:x:999:999::/var/lib/mysql:/bin/false' >> etc/passwd
echo 'mysql:x:999:' >> etc/group
mkdir -p etc/mysql/conf.d var/lib/mysql var/lib/mysql-files var/lib/mysql-keyring var/log/mysql
chown 999:999 var/lib/mysql var/lib/mysql-files var/lib/mysql-keyring var/log/mysql
cat > etc/mysql/my.cnf <<'CNF'
[mysqld]
user=mysql
datadir=/var/lib/mysql
socket=/run/mysqld/mysqld.sock
pid-file=/run/mysqld/mysqld.pid
[client]
socket=/run/mysqld/mysqld.sock
!includedir /etc/mysql/conf.d/
CNF
HOOK
}

# mysql_run  adds the folder of the socket: mmdebstrap empties /run.
mysql_run() {
  mkdir -p "$work/extra/run/mysqld"
  tar --owner=999 --group=999 -C "$work/extra" -rf "$layer" ./run/mysqld
}

# debian_mirror  prints where this machine's apt gets Debian's main archive from, as far as its lists tell.
debian_mirror() {
  # shellcheck disable=SC2016 # for apt
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | awk '!/security/ {print; exit}'
}

# debian SUITE PACKAGES  makes the layer from Debian packages and what they depend on. No maintainer script runs;
# the shell commands on standard input run in the root of the file system instead.
debian() {
  local suite=$1 packages=$2 keyring=$DEBIAN_KEYRING mirror
  [ -e "$keyring" ] || keyring=$TOOLS$DEBIAN_KEYRING
  mirror=${KUBECTL_DOIK_DEBIAN_MIRROR:-$(debian_mirror)}
  if [ -z "$mirror" ]; then # a new machine has no lists
    apt-get -qq update >&2
    mirror=$(debian_mirror)
  fi
  [ -n "$mirror" ] || die "apt knows no Debian mirror: set KUBECTL_DOIK_DEBIAN_MIRROR to one"
  {
    cat <<'HOOK'
#!/bin/sh -e
cd "$1"
rm -rf usr/share/doc usr/share/man usr/share/locale usr/share/info var/lib/apt var/cache/apt
[ -s etc/passwd ] || { cp usr/share/base-passwd/passwd.master etc/passwd; cp usr/share/base-passwd/group.master etc/group; }
printf 'hosts: files dns\npasswd: files\ngroup: files\n' > etc/nsswitch.conf
[ -e usr/bin/awk ] || ln -s mawk usr/bin/awk
[ -e usr/bin/nc ] || [ ! -e usr/bin/nc.openbsd ] || ln -s nc.openbsd usr/bin/nc
[ -e bin/sh ] || ln -s bash bin/sh
mkdir -p tmp run var/tmp
chmod 1777 tmp var/tmp
HOOK
    cat
  } > "$work/hook"
  chmod +x "$work/hook"
  # Its mounts are in a namespace of their own, so that none outlives it, however it ends. sid's Release file may be
  # older than it says it should be, by the time a mirror gives it out.
  TMPDIR=$work unshare --mount perl "$(command -v mmdebstrap || echo "$TOOLS/usr/bin/mmdebstrap")" --quiet \
    --mode=root --variant=extract --architectures="$ARCH" --extract-hook="$work/hook" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
    --include="base-files,base-passwd,bash,coreutils,libc-bin,hostname,procps,grep,sed,mawk,findutils,debianutils,$packages" \
    "$suite" "$layer" "deb [signed-by=$keyring] $mirror $suite main" >&2
}

# blob FILE  moves it among the image's blobs and prints its descriptor's digest and size, as JSON.
blob() {
  local sum size
  sum=$(sha256sum < "$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  mv "$1" "$work/oci/blobs/sha256/$sum"
  printf '{"digest": "sha256:%s", "size": %d}' "$sum" "$size"
}

# pack OUT  packs the layer and the configuration as an OCI archive that has all the names.
pack() {
  local out=$1 layer_blob config_blob manifest_blob
  mkdir -p "$work/oci/blobs/sha256"
  layer_blob=$(blob "$layer")
  jq -n --arg path "$IMAGE_PATH" --arg arch "$ARCH" --argjson layer "$layer_blob" \
    "{architecture: \$arch, os: \"linux\", config: $config, rootfs: {type: \"layers\", diff_ids: [\$layer.digest]}}" > "$work/config"
  config_blob=$(blob "$work/config")
  jq -n --argjson config "$config_blob" --argjson layer "$layer_blob" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: ({mediaType: "application/vnd.oci.image.config.v1+json"} + $config),
      layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar"} + $layer]}' > "$work/manifest"
  manifest_blob=$(blob "$work/manifest")
  jq -n --arg arch "$ARCH" --argjson manifest "$manifest_blob" \
    '{schemaVersion: 2, manifests: [$ARGS.positional[] |
      {mediaType: "application/vnd.oci.image.manifest.v1+json", platform: {architecture: $arch, os: "linux"},
       annotations: {"io.containerd.image.name": .}} + $manifest]}' --args "${names[@]}" > "$work/oci/index.json"
  echo '{"imageLayoutVersion": "1.0.0"}' > "$work/oci/oci-layout"
  tar -C "$work/oci" -cf "$out.part" oci-layout index.json blobs
  mv "$out.part" "$out"
}

# image_archive NAME  prints where the image's archive is kept. The digest of its recipe is part of the name.
image_archive() {
  local recipe=(debian pack blob)
  declare -F "image_$1" >/dev/null || die "no image $1"
  case $1 in mysql | mariadb | mariadb_newer) recipe+=(mysql_layout mysql_run) ;; mariadb_operated) recipe+=(mysql_layout mysql_run operated_layout) ;; postgres) recipe+=(postgres_layout) ;; esac
  printf '%s/images/%s-%s-%s.tar\n' "$NODE_CACHE" "$1" "$ARCH" "$({
    declare -f "image_$1" "${recipe[@]}"
    echo "$IMAGE_PATH $PAUSE_IMAGE ${NGINX_IMAGES[*]}"
    case $1 in pause) echo "$PAUSE_BIN" ;; coredns) echo "$COREDNS_BIN" ;; cnpg) echo "$CNPG_BIN" ;; mariadb_operator | mariadb_operated) echo "$MARIADB_OPERATOR_BIN $MARIADB_OPERATOR_IMAGE $MARIADB_OPERATED_IMAGE" ;; esac
  } | git hash-object --stdin | cut -c1-12)"
}

# make_images NAME…  makes the archives that are missing.
make_images() {
  local name archive
  for name; do
    archive=$(image_archive "$name")
    [ ! -s "$archive" ] || continue
    (
      since=$SECONDS
      work=$archive.work layer=$work/layer.tar
      say "making image $name"
      rm -rf "$work"
      mkdir -p "$work"
      names=() config=
      "image_$name"
      pack "$archive"
      rm -rf "$work"
      say "made image $name (${names[0]}, $(du -h "$archive" | cut -f1)) in $((SECONDS - since)) s"
    )
  done
}
