// Package balancer is the data plane of an application load balancer: it
// listens, checks the health of its targets by real HTTP, and passes requests
// and WebSockets on to them as AWS documents it, with what hurts there, too: it
// fails open, a target that drains still gets requests for a while, and what is
// in flight when the draining is over is cut off. It knows nothing of AWS's API.
package balancer
