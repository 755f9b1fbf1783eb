# make demo   bake primal and carnivore on the local cloud and show the page
# make test   everything: vet, gofmt, shellcheck, unit tests, end to end (as root)
# make build  bin/imago

.PHONY: build demo test lint unit e2e clean
export CGO_ENABLED = 0

build: ; go build -trimpath -o bin/imago ./cmd/imago

lint:
	go vet ./...
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt -w these files:"; echo "$$files"; exit 1; }

unit: ; CGO_ENABLED=1 go test -race ./...

test: lint unit
