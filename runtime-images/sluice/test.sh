# Runs in the image: what its page promises.
sluice --version | grep '^0\.'
sluice operation deploy-testing 2>&1 | grep 'operations are the commands of steps'
! sluice operation nonsense 2>/dev/null
