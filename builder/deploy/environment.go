package deploy

import (
	"cmp"
	"time"
)

// Environment is where an application is in service, and how: what `imago.hcl`
// says of it.
type Environment struct {
	// Application and Name are what everything of the environment is tagged with.
	Application, Name string
	Region            string

	// VPC and Subnets are the network. Without a VPC, setup makes one of its own.
	VPC     string
	Subnets []string

	// InstanceType, Profile (an instance profile) and Key (a key pair) of the machines.
	InstanceType, Profile, Key string

	// Min, Max and Desired are the bounds of the auto scaling group, and what the
	// first release begins with. A later one begins with what the one before has.
	Min, Max, Desired int

	// RequestsPerTarget is how many requests a machine should have in a minute: the group
	// grows and shrinks with the load. 0 leaves it at its size.
	RequestsPerTarget float64

	// Port is where the machines listen, HealthPath what answers 200 on a healthy one.
	Port       int
	HealthPath string

	// VersionHeader is the header of an answer that names the image that answers,
	// by its id. Every answer that has it must name the release's own.
	VersionHeader string

	// Domain is the name that users call, Zone the Route 53 zone it is in, by name
	// or id. Optional. Certificate is one of ACM's, for HTTPS. Optional.
	Domain, Zone, Certificate string

	// KeepWarm is how long the release before stays ready to be gone back to.
	KeepWarm time.Duration
	// Drain is how long a release may go on answering what it has been asked, when it
	// has lost the traffic and is taken down. Optional; defaults to DefaultDrain.
	Drain time.Duration
	// Watch is how long a release is watched after it has taken over.
	Watch time.Duration
	// Timeout is how long a release may take to become healthy.
	Timeout time.Duration
}

// DefaultDrain is as long as a load balancer waits for a silent answer, and for
// its own machines to hear of a change.
const DefaultDrain = 80 * time.Second

func (e Environment) drain() time.Duration { return cmp.Or(e.Drain, DefaultDrain) }
