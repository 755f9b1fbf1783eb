// Package provision prepares one machine over SSH: it connects, uploads trees,
// runs scripts and downloads files. It knows an address and an identity, and
// nothing of where the machine came from.
package provision
