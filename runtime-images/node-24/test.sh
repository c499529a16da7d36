# Runs in the image: what its page promises.
node --version | grep '^v24\.'
npm --version
npx --version
