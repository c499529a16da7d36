# What `peers` has to know of Tekton Pipelines.

tekton_module() { echo github.com/tektoncd/pipeline; }
tekton_manifests() { echo config; }
tekton_kind() { echo taskruns.tekton.dev; }
tekton_port() { echo 18080; }
tekton_kubeconfig() { kubeconfig tekton-pipelines tekton-pipelines-controller; }

# Namespace, roles, kinds and settings of its release; without the Deployments, whose images are made by its own builder.
tekton_prepare() { # SOURCE
  cat >"$1/config/kustomization.yaml" <<K
resources:
$(cd "$1/config" && printf -- '- %s\n' 100-namespace/*.yaml 20*.yaml 300-crds/*.yaml config-*.yaml)
patches:
- target: {kind: ConfigMap, name: feature-flags}
  patch: '[{"op": "replace", "path": "/data/set-security-context", "value": "true"}]'
- target: {kind: ConfigMap, name: config-observability}
  patch: '[{"op": "replace", "path": "/data/metrics-protocol", "value": "none"}]'
K
}

tekton_image() { image "$1/entrypoint" /ko-app/entrypoint 65532; } # FOLDER

# The other images are for steps that have a script, a sidecar or a folder to begin in, or leave their command to the image.
tekton_start() { # FOLDER IMAGE
  SYSTEM_NAMESPACE=tekton-pipelines KUBERNETES_MIN_VERSION=v1.28.0 PROBES_PORT=$(tekton_port) \
    CONFIG_FEATURE_FLAGS_NAME=feature-flags CONFIG_LEADERELECTION_NAME=config-leader-election-controller \
    exec setsid "$1/controller" -disable-ha -entrypoint-image "$2" -nop-image "$2" -shell-image "$2" \
    -shell-image-win "$2" -sidecarlogresults-image "$2" -workingdirinit-image "$2"
}
