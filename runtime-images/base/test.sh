# Runs in the image: what its page promises.
curl --version
jq --version
make --version
unzip -v
git init --quiet /tmp/repository
git -C /tmp/repository -c user.name=step -c user.email=step@localhost commit --quiet --allow-empty --message=First
