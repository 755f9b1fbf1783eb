package deploy

import "time"

// Release is one image in one environment.
type Release struct {
	// Number is that of the launch template version. They count from 1 and are not given out again.
	Number int64  `json:"number"`
	Image  string `json:"image"`
	// Commit is the commit of the working tree that it was released from; "" when there was none.
	Commit string    `json:"commit,omitempty"`
	By     string    `json:"by"` // user@host
	At     time.Time `json:"at"`
}

// Serving is how a release is in service.
type Serving struct {
	Release
	// Weight is its share of the traffic, of the sum of all weights.
	Weight int32 `json:"weight"`
	// Desired, InService and Healthy count machines: those that the group wants,
	// those that it has in service, and the targets that are healthy.
	Desired   int `json:"desired"`
	InService int `json:"in_service"`
	Healthy   int `json:"healthy"`
	// Retire is when it is taken down; zero for the one that serves.
	Retire time.Time `json:"retire,omitzero"`

	group, target string // names or ARNs of its auto scaling group and its target group; "" when there is none
}
