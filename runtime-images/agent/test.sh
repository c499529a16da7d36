# Runs in the image: what its page promises.
node --version | grep '^v24\.'
node --check /agent/main.mjs
sh -n /agent/start
mkfifo /tmp/gate
