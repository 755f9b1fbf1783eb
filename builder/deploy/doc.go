// Package deploy puts images into service behind a load balancer, goes back to
// the release before in seconds, and takes down what is not needed any more.
//
// All that it remembers is in AWS itself: tags, the versions of a launch
// template, the weights of a listener, and a lease. Whoever comes next, on any
// computer, finds there what the one before has done, also one that was killed.
package deploy
