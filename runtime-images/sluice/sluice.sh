#!/bin/sh
exec node /sluice/runner/start.mjs "$@"
