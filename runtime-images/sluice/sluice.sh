#!/bin/sh
exec node /opt/sluice/runner/start.mjs "$@"
