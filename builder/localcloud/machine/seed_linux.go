package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// seed writes what a machine must know before its init runs. The name and the machine's identity are written at its first
// start only: later ones keep what is on the disk.
func seed(root string, j job) error {
	errs := []error{
		replace(root, "etc/resolv.conf", j.Resolver),
		// What cloud-init's local stage, which the base leaves out for speed, would forget at each boot.
		removeFile(filepath.Join(root, "var/lib/cloud/instance")),
	}
	if j.First {
		hosts := fmt.Sprintf("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n%s %s\n", j.Addr, j.Hostname)
		errs = append(errs,
			replace(root, "etc/hostname", j.Hostname+"\n"),
			replace(root, "etc/hosts", hosts),
			replace(root, "etc/machine-id", ""),
		)
	}
	return errors.Join(errs...)
}

// replace writes a file of the machine anew: a symbolic link there would lead out of the machine.
func replace(root, name, text string) error {
	path := filepath.Join(root, name)
	return errors.Join(removeFile(path), os.WriteFile(path, []byte(text), 0o644))
}

// hostnameOn is the name on the machine's disk, or else the configured one.
func hostnameOn(root, configured string) string {
	text, err := os.ReadFile(filepath.Join(root, "etc/hostname"))
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name
	}
	return configured
}
