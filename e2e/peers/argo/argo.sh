# What `peers` has to know of Argo Workflows.

argo_module() { echo github.com/argoproj/argo-workflows/v4; }
argo_manifests() { echo manifests; }
argo_kind() { echo workflows.argoproj.io; }
argo_port() { echo 6060; } # it can be told no other
argo_kubeconfig() { kubeconfig argo argo; }

# Its installation for a whole cluster, without server and Deployments, and with the small form of its kinds.
argo_prepare() { # SOURCE
  # A symbolic link of the repository, which modules cannot have.
  ln -sf signal_darwin.go "$1/workflow/executor/osspecific/signal_linux.go"
  cat >"$1/manifests/settings.yaml" <<K
apiVersion: v1
kind: Namespace
metadata: {name: argo}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: workflow-controller-configmap, namespace: argo}
data:
  metricsConfig: "{enabled: false}"
  telemetryConfig: "{enabled: false}"
  executor: |
    securityContext:
      allowPrivilegeEscalation: false
      capabilities: {drop: [ALL]}
K
  cat >"$1/manifests/kustomization.yaml" <<K
namespace: argo
resources:
- settings.yaml
- base/crds/minimal
- base/workflow-controller/workflow-controller-sa.yaml
- cluster-install-no-crds/workflow-controller-rbac
K
}

argo_image() { image "$1/argoexec" /bin/argoexec 8737; } # FOLDER

argo_start() { # FOLDER IMAGE
  LEADER_ELECTION_DISABLE=true exec setsid "$1/workflow-controller" --executor-image "$2"
}
