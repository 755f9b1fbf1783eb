package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	consoleKept = 64 << 10  // what Console answers
	consoleMost = 256 << 10 // the file is cut when it grows beyond this
)

// Console is the last 64 KiB of what a machine wrote to its console, over all its starts; empty when it never started.
func (h *Host) Console(id string) ([]byte, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(h.machineDir(id), "console.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("console of the machine %s: %w", id, err)
	}
	return lastOf(text, consoleKept), nil
}

func lastOf(text []byte, n int) []byte {
	return text[max(0, len(text)-n):]
}

// console is a terminal whose one end is copied to a file. The machine writes to the other, the slave.
type console struct {
	slave *os.File
	done  chan struct{}
}

// keepConsole copies the terminal to the end of a file until the console is closed.
func keepConsole(master, slave *os.File, path string) (*console, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errors.Join(err, master.Close(), slave.Close())
	}
	c := &console{slave: slave, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer file.Close()
		defer master.Close()
		copyConsole(file, master)
	}()
	return c, nil
}

// close waits until the last of what the machine wrote is in the file. The machine must have ended.
func (c *console) close() {
	if c == nil {
		return // the machine never had one
	}
	c.slave.Close()
	<-c.done
}

// copyConsole ends when no one has the other end open (EIO).
func copyConsole(file, master *os.File) {
	buf := make([]byte, 8<<10)
	for {
		n, err := master.Read(buf)
		if n > 0 {
			_, _ = file.Write(buf[:n]) // a full disk must not stop the machine, which waits for its console to be read
			cutConsole(file)
		}
		if err != nil {
			return
		}
	}
}

// cutConsole keeps the end of the file when it has grown too long.
func cutConsole(file *os.File) {
	st, err := file.Stat()
	if err != nil || st.Size() <= consoleMost {
		return
	}
	end := make([]byte, consoleKept)
	if _, err := file.ReadAt(end, st.Size()-consoleKept); err != nil {
		return
	}
	if file.Truncate(0) == nil {
		_, _ = file.Write(end)
	}
}
