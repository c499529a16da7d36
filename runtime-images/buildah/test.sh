# Runs in the image: what its page promises.
buildah --version
[ ! -u /usr/bin/newuidmap ]
! build-image /workspace registry.example/app 2>/tmp/said
grep 'this pod may not make user namespaces' /tmp/said
! build-image 2>/tmp/said
grep 'a folder and a reference are needed' /tmp/said
