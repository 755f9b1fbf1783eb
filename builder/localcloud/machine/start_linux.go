package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// job is what the init stage is told.
type job struct {
	Dir      string   // the machine's directory: upper, work, root
	Layers   []string // read-only, the top one first
	Disk     string   // the file that holds the writable layer, when that is bounded
	First    bool     // the machine has never started before
	Hostname string
	Addr     netip.Addr
	Gateway  netip.Addr
	Bits     int
	Resolver string                       // /etc/resolv.conf
	Sysctls  map[string]map[string]string // this computer's settings of the network, by directory of /proc/sys
	Probe    bool                         // only ask a DNS server from the network, and end
}

// Start starts a machine and returns when its init runs: its address answers then, and sshd does soon after. The writable
// layer of an earlier machine with this ID is used again.
func (h *Host) Start(ctx context.Context, c Config) (*Machine, error) {
	if err := h.check(c); err != nil {
		return nil, err
	}
	m, err := h.reserve(c.ID)
	if err != nil {
		return nil, err
	}
	if err := m.boot(ctx, c); err != nil {
		h.forget(m)
		return nil, fmt.Errorf("start the machine %s: %w", c.ID, err)
	}
	go m.wait()
	return m, nil
}

// check reports everything that is wrong with c.
func (h *Host) check(c Config) error {
	errs := []error{checkID(c.ID)}
	if len(c.Layers) == 0 {
		errs = append(errs, fmt.Errorf("machine %s: it needs a layer, a base at least", c.ID))
	}
	for _, l := range c.Layers {
		if st, err := os.Stat(l); err != nil || !st.IsDir() {
			errs = append(errs, fmt.Errorf("machine %s: its layer %s is not a directory", c.ID, l))
		}
	}
	if !h.prefix.Contains(c.Addr) || c.Addr == h.Gateway() || c.Addr == probeAddr(h.prefix) {
		errs = append(errs, fmt.Errorf("machine %s: its address %s is not a free one of %s", c.ID, c.Addr, h.prefix))
	}
	return errors.Join(errs...)
}

// reserve makes the machine known, so that it is not started twice.
func (h *Host) reserve(id string) (*Machine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errors.New("the host of the machines is closed")
	}
	if h.machines[id] != nil {
		return nil, fmt.Errorf("the machine %s is running", id)
	}
	m := &Machine{id: id, host: h, done: make(chan struct{})}
	h.machines[id] = m
	return m, nil
}

func (h *Host) forget(m *Machine) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.machines, m.id)
}

// boot clones the init stage, gives it a network, tells it its job, and waits until it has become init.
func (m *Machine) boot(ctx context.Context, c Config) (err error) {
	j, err := m.prepare(ctx, c)
	if err != nil {
		return err
	}
	if m.cgroup, err = makeCgroup(m.host.key, m.id); err != nil {
		return err
	}
	stage, err := m.host.clone(m.cgroup)
	if err != nil {
		return errors.Join(err, m.cgroup.remove())
	}
	defer stage.conn.Close()
	m.cmd = stage.cmd
	if err := m.bringUp(ctx, stage.conn, c.Addr, j); err != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		return errors.Join(err, m.clear())
	}
	return markStarted(j.Dir)
}

// bringUp puts the init stage on the network and waits until it is init.
func (m *Machine) bringUp(ctx context.Context, conn *net.UnixConn, addr netip.Addr, j job) error {
	if err := attach(m.host.key, m.id, m.cmd.Process.Pid, addr); err != nil {
		return err
	}
	files, err := converse(ctx, conn, j)
	if err != nil {
		return err
	}
	m.disk = files.disk
	m.console, err = keepConsole(files.master, files.slave, filepath.Join(j.Dir, "console.log"))
	return err
}

// converse tells the init stage its job, and waits for its answer.
func converse(ctx context.Context, conn *net.UnixConn, j job) (*handover, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	err := json.NewEncoder(conn).Encode(j)
	if err != nil {
		err = fmt.Errorf("tell the init stage its job: %w", err)
	}
	var files *handover
	if err == nil {
		files, err = receive(conn)
	}
	if err != nil && ctx.Err() != nil {
		return nil, contextError(ctx, "wait for the init stage")
	}
	return files, err
}

// receive reads what the init stage says: that it is ready, then the end of the connection when init has taken over, or an
// error's text.
func receive(conn *net.UnixConn) (*handover, error) {
	buf, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(3*4))
	n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil || n == 0 {
		return nil, errors.Join(errors.New("the init stage ended without a word: was it killed for memory?"), err)
	}
	files, err := passedFiles(oob[:oobn])
	if err != nil {
		return nil, err
	}
	said, err := io.ReadAll(conn)
	if buf[0] == saysReady && err == nil && len(said) == 0 {
		return files, nil
	}
	files.close()
	if err != nil {
		return nil, fmt.Errorf("listen to the init stage: %w", err)
	}
	return nil, errors.New(strings.TrimPrefix(string(said), string(saysError)))
}

// handover is what the init stage passes on: the two ends of the console, and the mounted directory of a bounded disk.
type handover struct{ master, slave, disk *os.File }

func (h *handover) close() {
	for _, f := range []*os.File{h.master, h.slave, h.disk} {
		f.Close() // of a nil file an error, and nothing else
	}
}

// passedFiles takes the files that came with a message. An error's text comes with none.
func passedFiles(oob []byte) (*handover, error) {
	if len(oob) == 0 {
		return &handover{}, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("the files of the init stage: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) < 2 {
		return nil, fmt.Errorf("the files of the init stage: %d came: %w", len(fds), err)
	}
	h := &handover{slave: os.NewFile(uintptr(fds[1]), "slave")}
	if len(fds) > 2 {
		h.disk = os.NewFile(uintptr(fds[2]), "disk")
	}
	err = unix.SetNonblock(fds[0], true) // before NewFile, so that Read waits in Go's poller and not on a thread
	h.master = os.NewFile(uintptr(fds[0]), "master")
	if err != nil {
		h.close()
		return nil, fmt.Errorf("the machine's console: %w", err)
	}
	return h, nil
}

// stage is a cloned process that waits for its job.
type stage struct {
	cmd  *exec.Cmd
	conn *net.UnixConn
}

// clone starts this program again, in new namespaces and in the machine's cgroup. It dies with this process.
func (h *Host) clone(c cgroup) (*stage, error) {
	dir, err := os.Open(string(c))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{stageName}, Env: []string{}, ExtraFiles: []*os.File{theirs}, Stderr: nil,
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWCGROUP,
			Setsid:     true, Pdeathsig: syscall.SIGKILL, UseCgroupFD: true, CgroupFD: int(dir.Fd()),
		},
	}
	started := make(chan error, 1)
	h.spawn <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		conn.Close()
		return nil, fmt.Errorf("clone a process into new namespaces: %w", err)
	}
	return &stage{cmd: cmd, conn: conn}, nil
}

func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	mine := os.NewFile(uintptr(fds[0]), "stage")
	defer mine.Close()
	theirs = os.NewFile(uintptr(fds[1]), "stage")
	conn, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}
