# Writes the configuration of every component to $CONF.

write_configuration() { # IP
  write_pod_network
  write_containerd
  write_registry
  write_kubelet
  write_audit_policy
  write_proxy
  write_dns "$1"
  write_objects "$1"
}

write_pod_network() {
  mkdir -p "$CONF/cni"
  cat >"$CONF/cni/pods.conflist" <<K
{"cniVersion":"1.0.0","name":"pods","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"hairpinMode":true,
  "ipam":{"type":"host-local","dataDir":"$STATE/cni","ranges":[[{"subnet":"$PODS"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
K
}

write_containerd() {
  local registry
  for registry in localhost:5000 registry.sluice.test:5000; do
    mkdir -p "$CONF/certs.d/$registry"
    cat >"$CONF/certs.d/$registry/hosts.toml" <<K
server = "http://localhost:5000"
[host."http://localhost:5000"]
  capabilities = ["pull", "resolve"]
K
  done
  # restrict_oom_score_adj: root of a container may lack CAP_SYS_RESOURCE, and then runc cannot lower a score.
  cat >"$CONF/containerd.toml" <<K
version = 2
root = "$STATE/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "localhost/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$CONF/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$CONF/certs.d"
K
}

write_registry() {
  cat >"$CONF/registry.yml" <<K
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $CLUSTER_HOME/registry}, delete: {enabled: true}}
http: {addr: ":5000"}
K
}

write_kubelet() {
  cat >"$CONF/kubelet.yaml" <<K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
failSwapOn: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
maxPods: 250
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi}
K
}

# Who wrote what and when, of every object; what was written is left out, for Secrets are among it, except what kubelets say of
# pods. Benchmarks count what runners read, too: those in their namespace and those of e2e/peers.
write_audit_policy() {
  cat >"$CONF/audit.yaml" <<K
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: Request, verbs: [patch], resources: [{group: "", resources: [pods/status]}]}
  - {level: Metadata, verbs: [create, update, patch, delete, deletecollection]}
  - {level: Metadata, resources: [{group: "", resources: [pods/exec, pods/attach, pods/portforward]}]}
  - level: Metadata
    userGroups: ["system:serviceaccounts:bench", "system:serviceaccounts:tekton-pipelines", "system:serviceaccounts:argo"]
  - {level: None}
K
}

write_proxy() {
  cat >"$CONF/proxy.yaml" <<K
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: $PKI/proxy.kubeconfig}
clusterCIDR: $PODS
hostnameOverride: $NODE
conntrack: {maxPerCore: 0}
K
}

write_dns() { # IP
  cat >"$CONF/Corefile" <<K
.:53 {
  bind $1
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $PKI/admin.kubeconfig test
  }
  template IN A sluice.test {
    answer "{{ .Name }} 60 IN A $1"
  }
  template IN AAAA sluice.test {
    rcode NOERROR
  }
  forward . /etc/resolv.conf
  cache 5
}
K
}

# The objects that the cluster starts with: the address of its DNS, and volumes on request.
write_objects() { # IP
  cat >"$CONF/objects.yaml" <<K
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: $DNS_IP, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kube-dns-node, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
endpoints: [{addresses: ["$1"], conditions: {ready: true}}]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: hostpath, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/host-path
reclaimPolicy: Delete
K
}
