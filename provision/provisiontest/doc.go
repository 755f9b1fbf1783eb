// Package provisiontest runs a real SSH server, OpenSSH's sshd, for the time of
// a test. It needs Linux, root and the package openssh-server.
package provisiontest
