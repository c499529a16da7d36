# Runs in the image: what its page promises.
go version
git --version
mkdir /tmp/program
cd /tmp/program
go mod init example.test/program
printf 'package main\n\nfunc main() { println("built") }\n' >main.go
go install .
program 2>&1 | grep '^built$'
