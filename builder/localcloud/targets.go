package localcloud

import "github.com/imagobuild/imago/builder/localcloud/balancer"

// The health of a target, as the data plane says it.
const (
	targetHealthy   = balancer.Healthy
	targetUnhealthy = balancer.Unhealthy
	targetUnused    = balancer.Unused // the target group is behind no listener
	targetDraining  = balancer.Draining
)

// targets is what Auto Scaling asks of the load balancers. A target group is
// named by its ARN, a target by the id of its instance. All of it is called with
// the cloud's mu held, and must not wait: draining and health checks go on in
// the background, and are asked for again.
type targets interface {
	// has says whether a region has the target group.
	has(region, group string) bool
	// register makes an instance a target, on the port of the target group.
	// Again is as once.
	register(group, instance string)
	// deregister has a target drain, and go. One that is not there has gone.
	deregister(group, instance string)
	// health is that of a target; "" when it is not registered, or has drained.
	health(group, instance string) string
	// requests is how many requests all targets of the group have had since the
	// cloud was opened. It never goes back.
	requests(group string) uint64
}
