#!/usr/bin/env bash
# Kubernetes' own provisioner makes volumes on the host for root alone, and such volumes do not take the group of a pod (fsGroup): here whoever
# gets one may write to it.
set -u

# A wait without a process: five in a second would be what the tests of speed measure too.
exec {never}<> <(:)
while read -r -t 0.2 -u "$never" || true; do
  volumes=("$1"/*)
  [ ! -e "${volumes[0]}" ] || chmod -f 0777 "$1" "$1"/* || true # one may be gone meanwhile
done
