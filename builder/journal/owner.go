package journal

import (
	"fmt"
	"os"
)

// Owner is the process that writes a journal, and where it runs. What a system
// does not tell is empty.
type Owner struct {
	Host    string `json:"host"` // its name, for people
	Machine string `json:"machine,omitempty"`
	Boot    string `json:"boot,omitempty"`
	PID     int    `json:"pid"`
	Started string `json:"started,omitempty"` // tells it from a later process of that number
	Space   string `json:"space,omitempty"`   // that the number counts in
}

// self is this process.
func self() Owner {
	o := Owner{PID: os.Getpid()}
	o.Host, _ = os.Hostname() // for people only
	o.Machine, o.Boot, o.Space = machineID(), bootID(), space()
	o.Started = started(o.PID)
	return o
}

func (o Owner) String() string { return fmt.Sprintf("process %d on %s", o.PID, o.Host) }

// near says whether a lock of o's that is free here proves that it is gone: it
// ran on this system as it is now, or on this computer before it started anew.
func (o Owner) near(here Owner) bool {
	return o.Boot != "" && o.Boot == here.Boot || o.Machine != "" && o.Machine == here.Machine
}

// ended says, without a lock, that o has ended for sure.
func (o Owner) ended(here Owner) bool {
	if o.Boot == "" || here.Boot == "" || o.Started == "" {
		return false
	}
	if o.Boot != here.Boot {
		return o.Machine != "" && o.Machine == here.Machine
	}
	return o.Space == here.Space && started(o.PID) != o.Started
}
