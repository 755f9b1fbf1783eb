package process

import "crypto/rand"

// markVariable is the name of a Mark in the environment.
const markVariable = "IMAGO_RUN"

// Mark finds the processes that a program has started, also those that have left
// its process group and live on, as the connections that ssh shares.
type Mark string

// NewMark makes a mark that no other program has.
func NewMark() Mark { return Mark(rand.Text()) }

// Env is the mark for the program's environment, which what it starts inherits.
func (m Mark) Env() string { return markVariable + "=" + string(m) }
