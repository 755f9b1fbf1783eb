package main

import (
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder/localcloud"
)

// statusJSON is what `imago local status --json` writes.
type statusJSON struct {
	Running  bool       `json:"running"`
	PID      int        `json:"pid,omitempty"`
	Endpoint string     `json:"endpoint,omitempty"`
	Region   string     `json:"region,omitempty"`
	Version  string     `json:"version,omitempty"`
	Started  *time.Time `json:"started,omitempty"`
	StateDir string     `json:"state_dir"`
	CacheDir string     `json:"cache_dir"`
	Counts   counts     `json:"counts"`
	// Faults are the fault rules of a cloud that runs, and what they did.
	Faults []localcloud.FaultCount `json:"faults,omitempty"`
}

// counts says how much is in the local cloud.
type counts struct {
	Images    int `json:"images"`
	Instances int `json:"instances"`
	Snapshots int `json:"snapshots"`
}

// printStatus writes what there is to say about the local cloud to stdout.
func (s *session) printStatus(st localcloud.Status, state string, faults []localcloud.FaultCount, asJSON bool) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	out := statusJSON{
		Running: st.Running, StateDir: state, CacheDir: cache,
		Counts: counts{Images: st.Images, Instances: st.Instances, Snapshots: st.Snapshots}, Faults: faults,
	}
	if st.Running {
		out.PID, out.Endpoint, out.Region, out.Version, out.Started = st.PID, st.Env.Endpoint, st.Env.Region, st.Version, &st.Started
	}
	if asJSON {
		return writeJSON(s.stdout, out)
	}
	return s.printStatusText(out)
}

func (s *session) printStatusText(st statusJSON) error {
	first := "the local cloud does not run; start it with: imago local up"
	if st.Running {
		first = fmt.Sprintf("the local cloud answers at %s (process %d, for %s)", st.Endpoint, st.PID, time.Since(*st.Started).Truncate(time.Second))
	}
	_, err := fmt.Fprintf(s.stdout, "%s\n  %s, %s, %s\n  state in %s, bases in %s\n", first,
		plural(st.Counts.Images, "image"), plural(st.Counts.Instances, "instance"), plural(st.Counts.Snapshots, "snapshot"),
		st.StateDir, st.CacheDir)
	if err != nil || len(st.Faults) == 0 {
		return err
	}
	struck := 0
	for _, one := range st.Faults {
		struck += one.Struck
	}
	_, err = fmt.Fprintf(s.stdout, "  %s, struck %s; see: imago local faults show\n", plural(len(st.Faults), "fault rule"), plural(struck, "time"))
	return err
}
