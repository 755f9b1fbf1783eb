package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// row is one line of the table: a job, done by several contenders.
type row struct {
	name    string
	about   string // what the job is, in a few words
	link    link
	round   string // rows of one round, which follow one another, take turns
	direct  bool   // of no link: the machine is reached without a relay
	tree    tree
	entries []contender
	measure func(ctx context.Context, samples map[string][]sample) error // for a row that needs a cloud of its own
}

// contender is a program that does a row's job. It either bakes a template, or
// runs a command against the machine that is there.
type contender struct {
	name      string
	bakes     []object                   // the template's provisioners
	command   func(addr string) []string // given the template's path, for one that bakes or validates; the machine's address for others
	env       []string
	part      mark          // of a bake; the zero value is all of it
	connected mark          // of an upload that says so: all behind the connecting
	uploads   bool          // to the machine that is there
	takes     time.Duration // about
}

// The names that the ratios compare.
const (
	imagoBake  = "imago"
	packerBake = "packer"
	imagoPut   = "imago, connecting too"
	plainTar   = "tar | ssh tar"
)

// rowsOf returns the rows of one name: one for each link, or one for all.
func (b *bench) rowsOf(name string, links []link) ([]row, error) {
	switch name {
	case "nothing":
		return []row{b.nothing()}, nil
	case "instant":
		return []row{b.instant()}, nil
	case "states7", "states20", "states240":
		return b.states(name), nil
	case "validate":
		return []row{b.validate()}, nil
	case "scale":
		return b.scale()
	case "scripts10":
		var rows []row
		for _, l := range links {
			if l.mbit == 0 {
				rows = append(rows, b.scripts(l))
			}
		}
		return rows, nil
	}
	t, err := makeTree(b.trees, name)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, l := range links {
		if l.mbit > 0 && name != "many" && name != "flat300" && name != "few" {
			continue // half a gigabyte that nothing can compress takes its time, and tells nothing
		}
		rows = append(rows, b.upload(t, l))
	}
	return rows, nil
}

func (b *bench) imagoBuild(path string) []string {
	return []string{b.imago, "build", "-color=false", "-no-reuse", path}
}

func (b *bench) packerBuild(path string) []string {
	return []string{b.packer, "build", "-color=false", path}
}

// quickPolls takes Packer's 15 s between two looks at the cloud away where a
// part is measured in which it does not look.
func quickPolls() []string { return []string{"AWS_POLL_DELAY_SECONDS=1"} }

func (b *bench) upload(t tree, l link) row {
	r := row{name: t.name, about: t.about(), link: l, tree: t, entries: []contender{b.imagoUpload(t, l), b.packerUpload(t, l), b.putUpload(t, l), b.tarUpload(t, l, "")}}
	if l.mbit > 0 {
		r.entries = append(r.entries, b.tarUpload(t, l, "z"))
	}
	r.entries = append(r.entries, b.rsyncUpload(t, l, ""))
	if l.mbit > 0 {
		r.entries = append(r.entries, b.rsyncUpload(t, l, "z"))
	}
	// scp waits four times for each file; where that alone takes a minute, it is left out.
	if 4*l.rtt*time.Duration(t.files) < time.Minute {
		r.entries = append(r.entries, contender{name: "scp -r", uploads: true, takes: t.copying(l) + 4*l.rtt*time.Duration(t.files),
			command: func(addr string) []string { return b.scp(t, addr) }})
	}
	return r
}

func (b *bench) imagoUpload(t tree, l link) contender {
	return contender{name: imagoBake, bakes: uploading(t), command: b.imagoBuild, takes: imagoBakes + t.copying(l),
		part: marks(`provision 2/3`, `provision 3/3`, 1, 1)}
}

func (b *bench) packerUpload(t tree, l link) contender {
	return contender{name: packerBake, bakes: uploading(t), command: b.packerBuild, env: quickPolls(),
		// It waits once for each file, but not always in many directories.
		takes: packerBakes + 2*t.copying(l) + time.Duration(min(300, t.files))*l.rtt,
		part:  marks(`Uploading `, `Provisioning with shell script`, 1, 2)}
}

func (b *bench) putUpload(t tree, l link) contender {
	return contender{name: imagoPut, uploads: true, takes: t.copying(l), connected: marks("^connected$", "^uploaded$", 1, 1),
		command: func(addr string) []string { return []string{b.self, "put", addr, b.cloud.keyFile, t.path, t.dest} }}
}

func (b *bench) tarUpload(t tree, l link, compress string) contender {
	name := plainTar
	if compress != "" {
		name = "tar z | ssh tar z"
	}
	return contender{name: name, uploads: true, takes: t.copying(l), command: func(addr string) []string { return b.tarPipe(t, addr, compress) }}
}

func (b *bench) rsyncUpload(t tree, l link, compress string) contender {
	return contender{name: "rsync -a" + compress, uploads: true, takes: t.copying(l), command: func(addr string) []string {
		ssh := "ssh " + strings.Join(b.cloud.sshOptions(addr), " ")
		return []string{"rsync", "-a" + compress, "-e", ssh, t.path, destination(addr) + ":" + inbox + "/"}
	}}
}

func (b *bench) tarPipe(t tree, addr, compress string) []string {
	ssh := strings.Join(b.cloud.sshOptions(addr), " ")
	return []string{"sh", "-c", fmt.Sprintf("tar -C '%s' -c%sf - . | ssh %s %s 'tar -C %s -x%sf -'",
		t.dir(), compress, ssh, destination(addr), inbox, compress)}
}

// scp has no way to say "the contents of": the names of the root do.
func (b *bench) scp(t tree, addr string) []string {
	names, _ := filepath.Glob(filepath.Join(t.dir(), "*"))
	argv := append([]string{"scp", "-q", "-r"}, b.cloud.sshOptions(addr)...)
	return append(append(argv, names...), destination(addr)+":"+inbox+"/")
}

// dir is the directory of the tree, also when it is one file.
func (t tree) dir() string { return filepath.Dir(t.path) }

func (b *bench) scripts(l link) row {
	const count = 10
	steps := trivial(count)
	return row{name: "scripts10", about: "ten scripts that do nothing", link: l, entries: []contender{
		{name: imagoBake, bakes: steps, command: b.imagoBuild, takes: imagoBakes + 6*count*l.rtt, part: marks(`provision 1/`, fmt.Sprintf(`provision %d/`, count+1), 1, 1)},
		{name: packerBake, bakes: steps, command: b.packerBuild, env: quickPolls(), takes: packerBakes + 15*count*l.rtt, part: marks(`Provisioning with shell script`, `Provisioning with shell script`, 1, count+1)},
	}}
}

// nothing is a bake without a provisioner, on a machine reached as usual.
func (b *bench) nothing() row {
	return row{name: "nothing", about: "a bake without provisioners", direct: true, entries: []contender{
		{name: imagoBake, bakes: []object{}, command: b.imagoBuild, takes: imagoBakes},
		{name: packerBake, bakes: []object{}, command: b.packerBuild, takes: time.Minute},
		{name: "packer, polling each second", bakes: []object{}, command: b.packerBuild, env: quickPolls(), takes: packerBakes},
	}}
}

func (b *bench) validate() row {
	steps := []object{shell("true")}
	return row{name: "validate", about: "a template of one script is validated", direct: true, entries: []contender{
		{name: imagoBake, bakes: steps, command: func(path string) []string { return []string{b.imago, "validate", path} }},
		{name: packerBake, bakes: steps, command: func(path string) []string { return []string{b.packer, "validate", path} }},
	}}
}
