# Runs in the image: what its page promises.
node --version | grep '^v22\.'
npm --version
npx --version
