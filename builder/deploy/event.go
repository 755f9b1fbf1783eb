package deploy

import "time"

// Event is something that a release, a rollback, a setup or a destroy did or saw.
type Event struct {
	At time.Time `json:"at"`
	// Step is the stage: check, lease, tidy, launch, prove, shift, watch, retire, setup, destroy.
	Step string `json:"step"`
	// Text is one line for people.
	Text string `json:"text"`
	// Change is true when something was changed in AWS.
	Change bool `json:"change,omitempty"`
	// Table is how the releases are in service. Optional.
	Table []Serving `json:"table,omitempty"`
	// Probes and Failed count imago's own probes through the load balancer so far.
	Probes int `json:"probes,omitempty"`
	Failed int `json:"failed,omitempty"`
}

// tell tells of something.
func (d *Deployer) tell(e Event) {
	if d.Notify != nil {
		e.At = time.Now()
		d.Notify(e)
	}
}

// UnhealthyError says why a release was refused. The one before is in service.
type UnhealthyError struct {
	Release Release
	// Why is what was seen of it: a probe, a target, a machine that ended.
	Why string
	// Evidence is what its machines said, the newest line last.
	Evidence []string
}

func (e *UnhealthyError) Error() string {
	return "release of " + e.Release.Image + " refused: " + e.Why
}
