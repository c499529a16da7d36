#!/bin/sh
# One pool for what is allocated outside of V8: one for each thread is 10 MB more for a server.
export MALLOC_ARENA_MAX=1
exec node /opt/sluice/runner/start.mjs "$@"
