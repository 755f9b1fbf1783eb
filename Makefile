# make demo    bake primal and carnivore on the local cloud, release them behind a load balancer under load, and go back (as root)
# make test    everything: vet, gofmt, shellcheck, unit tests, end to end (as root)
# make build   bin/imago
# make bench   imago beside packer, tar, rsync and scp, an hour and a half (as root); BENCH='-rows many -n 3' for less, BENCH=-h for all flags
# make accept  the long versions of tests: 20 bakes in bad weather and how long they take, 50 at once, 20 of one image, a bake ended everywhere, bakes
#              whose connection is cut, accounts by the hundred thousand, prunes by the ten thousand, a minute of each fuzz target, repeated uploads, five
#              images beside Packer's of the same templates, releases killed everywhere, 20 releases at 1,000 requests a second (as root)

.PHONY: build demo test deps lint machines unit fuzz e2e e2e-waiting e2e-others bench accept
export CGO_ENABLED = 0
export PATH := $(shell e2e/go.sh):$(PATH)

# What the machines need of this computer, and what the tests need beyond it: command=Debian package. A path where
# another program of the same name, installed otherwise, would not do: the tests want Debian's own.
MACHINES = mmdebstrap=mmdebstrap
WITNESSES = curl=curl /usr/bin/aws=awscli
TESTERS = $(WITNESSES) jq=jq /usr/bin/packer=packer shellcheck=shellcheck sshd=openssh-server gcc=build-essential ip=iproute2 nft=nftables ansible-playbook=ansible-core

# The end-to-end suite has its binary built where it wants it.
BIN = bin/imago

# The machines come first, and build the bases that the others use. The end-to-end suites run last.
UNIT = $$(go list ./... | grep -v -e '/e2e$$' -e /e2e/bench -e /e2e/load -e /e2e/deploy -e /localcloud/machine)

# The tag leaves out urfave/cli's writer of manual pages, which makes 200 kB of tables at every start.
build:
	go build -trimpath -tags urfave_cli_no_docs -ldflags='-s -w' -o $(BIN) ./cmd/imago

demo:
	@e2e/deps.sh $(MACHINES) $(WITNESSES)
	@$(MAKE) --no-print-directory build
	@go build -o bin/loadgen ./e2e/load/loadgen
	@e2e/demo.sh

test: deps lint machines unit fuzz e2e

deps:
	@e2e/deps.sh $(MACHINES) $(TESTERS)

lint:
	go vet ./...
	@files=$$(gofmt -l .); test -z "$$files" || { echo "run gofmt -w on: $$files"; exit 1; }
	shellcheck e2e/*.sh provision/*.sh builder/*.sh

machines:
	CGO_ENABLED=1 go test -race -timeout 15m ./builder/localcloud/machine

# Eight tests at once, because most of them wait for a machine.
unit:
	CGO_ENABLED=1 go test -race -parallel 8 $(UNIT)

# Both parsers of templates, a minute each, at the same time.
fuzz:
	e2e/fuzz.sh 60 ./builder/template FuzzJSON FuzzHCL

# In two parts at once, each with a cloud of its own, since most of a test is waiting: those that wait for minutes, and
# the others. Then, alone, those that look at the whole host.
WAITING = ^Test(Claim|Cut|Reboot|StalledPhases|KilledAnywhere|TerminatedAnywhere|LostAnswers|Orphan|LeaseStaysOut|Resume|WaitIsOver|NothingToResume|BadWeather|Options|HostKeyModes|Project)
ALONE = ^Test(TwoClouds|KilledServer)$$
E2E = go test -count=1 -timeout 30m -parallel 4

e2e:
	@$(MAKE) --no-print-directory -j 2 -k -O e2e-waiting e2e-others
	$(E2E) -run '$(ALONE)' ./e2e
	go test -count=1 -timeout 15m -parallel 8 ./e2e/load ./e2e/deploy

e2e-waiting:
	$(E2E) -run '$(WAITING)' ./e2e

e2e-others:
	$(E2E) -skip '$(WAITING)|$(ALONE)' ./e2e

# Not part of test: nothing in it can fail for being slow.
bench: build
	@e2e/deps.sh $(MACHINES) aws=awscli packer=packer rsync=rsync ssh=openssh-client sshd=openssh-server
	go test -count=1 ./e2e/bench
	go test -run '^$$' -bench . -benchmem ./e2e/bench
	go run ./e2e/bench $(BENCH)

FUZZ = ./builder:FuzzUserData ./builder:FuzzMIME ./builder/journal:FuzzDecode \
	./builder/template:FuzzJSON ./builder/template:FuzzHCL ./builder/template:FuzzEscaping ./builder/project:FuzzRead \
	./builder/localcloud:FuzzQuery ./builder/localcloud:FuzzAuthorization ./builder/localcloud:FuzzParseFaults

accept: deps build
	go test -count=1 -v -timeout 60m -run 'TestBadWeather|TestCrowd|TestClaim' ./e2e -weather 20 -crowd 50 -claimants 20
	e2e/weather.sh 20
	go test -count=1 -run TestPlanProperties ./builder/gc -accounts 100000
	go test -count=1 -run TestHistories ./builder/retention -histories 10000
	go test -count=5 -run TestFingerprintChanges ./builder -changes 1000
	go test -count=5 -run TestProjectChanges ./builder/project -changes 1000
	go test -count=1 -run TestUpgradeRandom ./builder/template -templates 1000
	go test -count=1 -timeout 60m -run 'Anywhere|LostAnswers' ./e2e -everywhere
	go test -count=10 -timeout 60m -run 'Random|Resumes|Cut|Dead' ./provision
	go test -count=1 -timeout 60m -run 'TestCut$$' ./e2e -cut-bakes 20
	go test -count=1 -v -timeout 60m -parallel 4 -run 'TestKilled$$|TestBadImages|TestPaused' ./e2e/deploy -everywhere -lines 3
	go test -count=1 -v -timeout 30m -run 'TestOneAtATime|TestReleases' -parallel 1 ./e2e/deploy -strict
	@for lag in 0s 7s 14s 20s; do set -x; go test -count=1 -v -timeout 60m -run 'TestManyReleases' ./e2e/deploy -strict -releases 5 -rate 1000 -delays draining=$$lag,metric=1s || exit 1; done
	@for f in $(FUZZ); do set -x; e2e/fuzz.sh 60 "$${f%:*}" "$${f#*:}" || exit 1; done
	go test -count=1 -timeout 30m -run 'TestTwins$$' ./e2e -twins
