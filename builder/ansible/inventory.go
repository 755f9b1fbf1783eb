package ansible

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// Inventory says which machines there are: one, unless File names an inventory of the user's own.
type Inventory struct {
	File        string   // inventory_file, instead of a generated one
	Alias       string   // host_alias. Optional; defaults to default.
	Groups      []string // that the machine is in
	EmptyGroups []string
	Directory   string // where it is written, beside group_vars and host_vars. Optional; defaults to a private directory.
	Keep        bool   // it stays there

	// Line makes the machine's line of its address. Optional; defaults to its address, user and port.
	Line func(Address) (string, error) `json:"-"`
}

// Address is what an inventory says of the machine.
type Address struct {
	HostAlias, Host, User string
	Port                  int
}

// line is the machine's.
func (a Address) line() string {
	return fmt.Sprintf("%s ansible_host=%s ansible_user=%s ansible_port=%d\n", a.HostAlias, a.Host, a.User, a.Port)
}

// write returns the inventory's path, and what takes the file away again.
func (i Inventory) write(w way, dir, private string) (path string, done func(), err error) {
	done = func() {}
	if i.File != "" {
		return inDir(dir, i.File), done, nil
	}
	text, err := i.text(w)
	if err != nil {
		return "", done, err
	}
	where := cmp.Or(inDir(dir, i.Directory), private)
	if i.Keep && i.Directory == "" {
		where = os.TempDir()
	}
	f, err := os.CreateTemp(where, "imago-ansible-inventory-") // of mode 0600
	if err != nil {
		return "", done, fmt.Errorf("write the inventory: %w", err)
	}
	if !i.Keep {
		done = func() { os.Remove(f.Name()) }
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		done()
		return "", done, fmt.Errorf("write the inventory: %w", err)
	}
	return f.Name(), done, nil
}

// text is the inventory, in ansible's INI format.
func (i Inventory) text(w way) (string, error) {
	a := Address{HostAlias: cmp.Or(i.Alias, "default"), Host: w.host, User: w.user, Port: w.port}
	line := a.line()
	if i.Line != nil {
		var err error
		if line, err = i.Line(a); err != nil {
			return "", fmt.Errorf("inventory_file_template: %w", err)
		}
	}
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	for _, g := range i.Groups {
		fmt.Fprintf(&b, "[%s]\n%s\n", g, a.HostAlias)
	}
	for _, g := range i.EmptyGroups {
		fmt.Fprintf(&b, "[%s]\n", g)
	}
	return b.String(), nil
}
