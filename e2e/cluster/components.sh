# Starts and stops the components, each by the process id in $PIDS.

COMPONENTS=(etcd containerd registry apiserver controller-manager volumes scheduler kubelet proxy dns)

# A process id that was given to somebody else meanwhile does not count: each of ours names a file in $CLUSTER_HOME.
running() { # COMPONENT
  local pid
  pid=$(cat "$PIDS/$1" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" |
    grep -qF -- "$CLUSTER_HOME/"
} 2>/dev/null

all_running() {
  local name
  for name in "${COMPONENTS[@]}"; do running "$name" || return; done
}

# Before anything is started: another cluster, or a containerd of this machine, would mix with this one.
check_ports() {
  local name
  for name in "${COMPONENTS[@]}"; do ! running "$name" || return 0; done
  if ctr version >/dev/null 2>&1; then die "a containerd runs here already: end it, or give KUBECONFIG to use its cluster"; fi
  for name in 2379 5000 6443 10250; do
    ! listens "$name" || die "port $name is taken; is another cluster running?"
  done
}

start() { # COMPONENT COMMAND...
  local name=$1
  shift
  if running "$name"; then return; fi
  (close_inherited && exec setsid "$@") >>"$LOGS/$name.log" 2>&1 </dev/null &
  echo $! >"$PIDS/$name"
}

# A lock of ours, or of whoever restarts a component, would stay taken for as long as that lives.
close_inherited() {
  local fd
  for fd in /proc/"$BASHPID"/fd/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || eval "exec $fd>&-"
  done
}

start_component() {
  case $1 in
    etcd) start_etcd ;;
    containerd) start containerd containerd -c "$CONF/containerd.toml" ;;
    registry) start registry docker-registry serve "$CONF/registry.yml" ;;
    apiserver) start_apiserver ;;
    controller-manager) start_controller_manager ;;
    volumes) start volumes bash "$HERE/volumes.sh" "$HOST_VOLUMES" "$CLUSTER_HOME/" ;;
    scheduler) start scheduler "$BIN/kube-scheduler" --leader-elect=false $(kubeconfigs scheduler) ;;
    kubelet)
      start kubelet "$BIN/kubelet" --config="$CONF/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig" \
        --hostname-override=$NODE --node-ip="$(node_ip)" --root-dir="$STATE/kubelet"
      ;;
    proxy) start proxy "$BIN/kube-proxy" --config="$CONF/proxy.yaml" ;;
    dns) start dns "$BIN/coredns" -conf "$CONF/Corefile" ;;
    *) die "no component '$1'; there are: ${COMPONENTS[*]}" ;;
  esac
}

start_etcd() {
  start etcd "$BIN/etcd" --unsafe-no-fsync --data-dir "$STATE/etcd" \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
}

start_apiserver() {
  start apiserver "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range=$SERVICES \
    --secure-port=6443 --advertise-address="$(node_ip)" \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --audit-policy-file="$CONF/audit.yaml" --audit-log-path="$LOGS/audit.log" --audit-log-maxsize=100 --audit-log-maxbackup=2 \
    --kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key" \
    --kubelet-preferred-address-types=InternalIP --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-username-headers=X-Remote-User \
    --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key"
}

start_controller_manager() {
  start controller-manager "$BIN/kube-controller-manager" --leader-elect=false $(kubeconfigs controller-manager) \
    --use-service-account-credentials --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" --enable-hostpath-provisioner
}

kubeconfigs() { # COMPONENT
  printf -- '--%s=%s\n' kubeconfig "$PKI/$1.kubeconfig" authentication-kubeconfig "$PKI/$1.kubeconfig" \
    authorization-kubeconfig "$PKI/$1.kubeconfig"
}

stop_component() { # COMPONENT [SIGNAL]
  local pid
  if running "$1"; then
    pid=$(cat "$PIDS/$1")
    kill "-${2:-TERM}" "$pid"
    for _ in $(seq 100); do
      ! ended "$pid" || break
      sleep 0.1
    done
    if ! ended "$pid"; then kill -KILL "$pid"; fi
    until ended "$pid"; do sleep 0.1; done
  fi
  rm -f "$PIDS/$1"
}

# A process that was killed has its ports until the last of its threads is gone; then nobody may have reaped it yet.
ended() { # PID
  local threads=(/proc/"$1"/task/*)
  [ ! -e "/proc/$1" ] || { [ "${#threads[@]}" -le 1 ] && grep -q '^State:.Z' "/proc/$1/status"; } 2>/dev/null
}

tasks() { ctr -n k8s.io tasks ls -q 2>/dev/null; }

# What the kubelet left when it was stopped.
remove_containers() {
  tasks | xargs -r -n1 ctr -n k8s.io tasks kill -s KILL >/dev/null 2>&1 || true
  for _ in $(seq 20); do
    ctr -n k8s.io tasks ls | grep -q RUNNING || break
    sleep 0.1
  done
  tasks | xargs -r -n1 ctr -n k8s.io tasks rm -f >/dev/null 2>&1 || true
  ctr -n k8s.io containers ls -q | xargs -r -n1 ctr -n k8s.io containers rm >/dev/null 2>&1 || true
}
