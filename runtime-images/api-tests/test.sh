# Runs in the image: what its page promises.
[ "$(newman --version)" = 6.2.2 ]
[ "$(httpyac --version)" = 6.16.7 ]
autocannon --version | grep 'autocannon v9.0.0'
sluice check requests --url http://localhost 2>&1 | grep 'no file with requests is named'
