package provision

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// agentChannel is how a machine comes back to the agent that it was lent.
const agentChannel = "auth-agent@openssh.com"

// relay joins two SSH connections: what the client opens is opened on the machine.
type relay struct {
	client  ssh.Conn
	machine *ssh.Client
	sftp    string // a command instead of the SFTP subsystem
	open    sync.WaitGroup
}

// run relays until the client has gone.
func (r *relay) run(channels <-chan ssh.NewChannel) {
	if agents := r.machine.HandleChannelOpen(agentChannel); agents != nil { // else our own agent is lent
		r.open.Go(func() {
			for c := range agents {
				r.open.Go(func() { r.join(c, r.client) })
			}
		})
	}
	for c := range channels {
		r.open.Go(func() { r.join(c, r.machine) })
	}
	r.machine.Close()
	r.open.Wait()
}

// join connects a channel that one side asks for with one of the other side, until both are closed.
func (r *relay) join(asked ssh.NewChannel, other ssh.Conn) {
	far, farRequests, err := other.OpenChannel(asked.ChannelType(), asked.ExtraData())
	if err != nil {
		refused := &ssh.OpenChannelError{Reason: ssh.ConnectionFailed, Message: err.Error()}
		errors.As(err, &refused)
		_ = asked.Reject(refused.Reason, refused.Message)
		return
	}
	near, nearRequests, err := asked.Accept()
	if err != nil {
		far.Close()
		return
	}
	started, session := make(chan struct{}), asked.ChannelType() == "session"
	if !session {
		close(started)
	}
	var output, back sync.WaitGroup
	output.Go(func() { _, _ = io.Copy(near.Stderr(), far.Stderr()) })
	output.Go(func() { _, _ = io.Copy(near, far) })
	back.Go(func() {
		output.Wait()
		if !session { // whose end comes with its exit status: a client that is told of the end first wants no more
			_ = near.CloseWrite()
		}
	})
	back.Go(func() { pass(farRequests, near) })
	go func() {
		<-started // before that a server drops what it is sent
		_, _ = io.Copy(far, near)
		_ = far.CloseWrite()
	}()
	go func() {
		r.passFrom(nearRequests, far, started)
		far.Close()
	}()
	back.Wait()
	near.Close()
}

// passFrom passes on what the client asks of a session, and says when something was started in it.
func (r *relay) passFrom(requests <-chan *ssh.Request, to ssh.Channel, started chan struct{}) {
	for q := range requests {
		if q.Type == "subsystem" && r.sftp != "" && subsystem(q.Payload) == "sftp" {
			q.Type, q.Payload = "exec", ssh.Marshal(struct{ Command string }{r.sftp})
		}
		passOne(q, to)
		if q.Type == "exec" || q.Type == "shell" || q.Type == "subsystem" {
			begin(started)
		}
	}
	begin(started)
}

// begin closes a channel, once. One goroutine at a time may call it.
func begin(started chan struct{}) {
	if !isClosed(started) {
		close(started)
	}
}

// subsystem is the name in a request for a subsystem.
func subsystem(payload []byte) string {
	var named struct{ Name string }
	_ = ssh.Unmarshal(payload, &named)
	return named.Name
}

func pass(requests <-chan *ssh.Request, to ssh.Channel) {
	for q := range requests {
		passOne(q, to)
	}
}

func passOne(q *ssh.Request, to ssh.Channel) {
	ok, err := to.SendRequest(q.Type, q.WantReply, q.Payload)
	if q.WantReply {
		_ = q.Reply(ok && err == nil, nil)
	}
}
