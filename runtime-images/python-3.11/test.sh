# Runs in the image: what its page promises.
python --version | grep '^Python 3\.11\.'
pip --version
python -m venv /tmp/environment
/tmp/environment/bin/pip --version
