package machine

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// stageName is what the init stage finds as its own name.
const stageName = "imago-machine"

// The first byte that the init stage says: that all is ready and files come with it, or that an error follows.
const (
	saysReady = 'r'
	saysError = 'e'
)

// The program is started again under another name to become a machine's init: a process cannot move itself into a new PID
// namespace. This is the only init function of imago, and it runs before anything of the program does.
func init() {
	if len(os.Args) > 0 && os.Args[0] == stageName {
		runtime.LockOSThread()
		conn := os.NewFile(3, "host")
		err := becomeInit(conn)
		fmt.Fprintf(conn, "%c%v", saysError, err)
		os.Exit(1)
	}
}

// becomeInit makes the machine around this process, then turns it into the machine's init. It returns on an error only.
func becomeInit(conn *os.File) error {
	unix.CloseOnExec(int(conn.Fd()))
	var j job
	if err := json.NewDecoder(conn).Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	if j.Probe {
		return probe(j, conn)
	}
	root, err := mountRoot(j)
	if err != nil {
		return err
	}
	if err := seed(root, j); err != nil {
		return err
	}
	if err := setUpInside(j.Addr, j.Gateway, j.Bits); err != nil {
		return err
	}
	if err := mountSystem(root, j); err != nil {
		return err
	}
	if err := handOver(root, j, conn); err != nil {
		return err
	}
	if err := enter(root); err != nil {
		return err
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	return execInit()
}

// handOver makes the machine's console from its own pseudo-terminals, and passes it on to the host, with the directory of a
// bounded disk, which is mounted for the machine only.
func handOver(root string, j job, conn *os.File) error {
	ends, err := makeConsole(root)
	if err != nil {
		return fmt.Errorf("make the console: %w", err)
	}
	passed := ends[:]
	if j.Disk != "" {
		dir, err := unix.Open(mountedDisk(j.Dir), unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open the disk: %w", err)
		}
		passed = append(passed, dir)
	}
	if err := unix.Sendmsg(int(conn.Fd()), []byte{saysReady}, unix.UnixRights(passed...), nil, 0); err != nil {
		return fmt.Errorf("hand the console over: %w", err)
	}
	return nil
}

// execInit replaces the program by systemd. The connection to the host closes with it.
func execInit() error {
	env := []string{
		"container=imago", "TERM=dumb", "LANG=C.UTF-8",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	return fmt.Errorf("run /sbin/init: %w", syscall.Exec("/sbin/init", []string{"/sbin/init"}, env))
}

// dropped are the capabilities that a machine never gets: to make device nodes, load modules, reach the hardware, set the
// clock, read and clear the kernel's log, change the computer's security policy, and make files that cannot be deleted.
func dropped() []uintptr {
	return []uintptr{
		unix.CAP_MKNOD, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_TIME, unix.CAP_MAC_ADMIN, unix.CAP_MAC_OVERRIDE,
		unix.CAP_SYSLOG, unix.CAP_WAKE_ALARM, unix.CAP_BLOCK_SUSPEND, unix.CAP_AUDIT_CONTROL, unix.CAP_LINUX_IMMUTABLE,
	}
}

func dropCapabilities() error {
	for _, c := range dropped() {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return fmt.Errorf("drop the capability %d: %w", c, err)
		}
	}
	return nil
}
