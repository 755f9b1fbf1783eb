package provision

import (
	"net"
	"strconv"
)

// Login is how another SSH client on this computer may log in to the machine by
// itself.
type Login struct {
	Host        string
	Port        int
	User        string
	HostKey     string // the one that the machine has shown, in authorized_keys format
	Key         []byte // private
	Certificate []byte // for Key; may be empty
}

// Login returns it, unless such a client cannot get there by itself: where the
// way leads through a bastion or a proxy, and where there is no key that could be
// given to it. A Gate is the way then.
func (h *Host) Login() (l Login, ok bool) {
	host, text, err := net.SplitHostPort(h.addr)
	if err != nil || h.id.Bastion != nil || h.id.Proxy != nil || len(h.id.Keys) == 0 {
		return Login{}, false
	}
	port, err := strconv.Atoi(text)
	return Login{
		Host: host, Port: port, User: h.id.User, HostKey: h.hostKey, Key: h.id.Keys[0], Certificate: h.id.Certificate,
	}, err == nil
}
