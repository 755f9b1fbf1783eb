package provision

import (
	"fmt"
	"time"
)

// Script is a program to run on the machine: from a file of its own in a
// private directory, with an empty stdin.
type Script struct {
	// Name is what the user calls it: a path, or "inline". Required.
	Name string

	// Body is the script itself. Required.
	Body []byte

	// Binary keeps Body as it is. By default CRLF line ends become LF.
	Binary bool

	// Env is the environment, KEY=value. It travels in a file of mode 0600, never
	// in a command line, unless Command says otherwise with {{.Vars}}. Optional.
	Env []string

	// Command is Packer's execute_command: a template with {{.Path}}, {{.Vars}}
	// and {{.EnvVarFile}}, run by the user's login shell. When it mentions neither
	// of the last two, Env is in its environment. Since it may change to another
	// account, the script has mode 0755 then, and its directory 0711. Optional;
	// defaults to running the script by its own first line with Env in its
	// environment.
	Command string

	// EnvFormat is Packer's env_var_format, how one variable is written in
	// {{.Vars}} or the file: a format with two %s. Optional; defaults to %s='%s' .
	EnvFormat string

	// UseEnvFile makes Command's {{.EnvVarFile}} name a file of `export` lines
	// (Packer's use_env_var_file) and {{.Vars}} empty. Optional.
	UseEnvFile bool

	// RemotePath is where the script is put. Optional; defaults to a file in a new
	// private directory (0700) in /tmp. RemoteFolder and RemoteFile name its two
	// halves; one of them alone changes where the private directory is, or the
	// script's name in it.
	RemotePath, RemoteFolder, RemoteFile string

	// SkipClean leaves the script on the machine. Optional.
	SkipClean bool

	// ValidExitCodes are the codes that mean success. Optional; defaults to 0 alone.
	ValidExitCodes []int

	// ExpectDisconnect says that losing the connection is part of the plan (a
	// reboot): Run returns nil then. So it does for Packer's exit code 2300218
	// among ValidExitCodes. Optional.
	ExpectDisconnect bool

	// StartTimeout bounds putting the script in place and starting it. Optional; defaults to 5 minutes.
	StartTimeout time.Duration
}

// ExitError reports a script that ran and ended with a code that does not mean
// success. A script that could not be started is any other error.
type ExitError struct {
	Script string
	Code   int    // as a shell has it: 128 and the signal's number, when a signal ended it
	Signal string // such as "KILL", when Code says so
	Tail   string // the last lines it wrote to stderr, or to stdout when stderr was silent
}

// Error says which script ended how.
func (e *ExitError) Error() string {
	if e.Signal != "" {
		return fmt.Sprintf("%s was ended by signal %s", e.Script, e.Signal)
	}
	return fmt.Sprintf("%s exited with status %d", e.Script, e.Code)
}
