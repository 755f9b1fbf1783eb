package provision

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

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
	asking  sync.WaitGroup // the channels that the client has not left

	abandoned atomic.Bool // the client has left a session that was not over
}

// run relays until the client has gone. What is open on the machine then stays open.
func (r *relay) run(channels <-chan ssh.NewChannel) {
	if agents := r.machine.HandleChannelOpen(agentChannel); agents != nil { // else our own agent is lent
		r.open.Go(func() {
			for c := range agents {
				r.open.Go(func() { r.join(c, r.client, func() {}) })
			}
		})
	}
	for c := range channels {
		r.asking.Add(1)
		r.open.Go(func() { r.join(c, r.machine, sync.OnceFunc(r.asking.Done)) })
	}
	r.asking.Wait()
}

// close ends the connection to the machine, and with it what is left of the relay.
func (r *relay) close() {
	r.machine.Close()
	r.open.Wait()
}

// pair is a channel that one side has asked for, and the other side's for it.
type pair struct {
	near, far                 ssh.Channel
	nearRequests, farRequests <-chan *ssh.Request
}

// open asks the other side for the same, and answers what it answers.
func open(asked ssh.NewChannel, other ssh.Conn) (p pair, ok bool) {
	var err error
	if p.far, p.farRequests, err = other.OpenChannel(asked.ChannelType(), asked.ExtraData()); err != nil {
		refused := &ssh.OpenChannelError{Reason: ssh.ConnectionFailed, Message: err.Error()}
		errors.As(err, &refused)
		_ = asked.Reject(refused.Reason, refused.Message)
		return p, false
	}
	if p.near, p.nearRequests, err = asked.Accept(); err != nil {
		p.far.Close()
		return p, false
	}
	return p, true
}

// join connects a channel that one side asks for with one of the other side, until
// both are closed. It calls left once the side that asked has closed it.
func (r *relay) join(asked ssh.NewChannel, other ssh.Conn, left func()) {
	defer left()
	p, ok := open(asked, other)
	if !ok {
		return
	}
	over, started, session := make(chan struct{}), make(chan struct{}), asked.ChannelType() == "session"
	go func() {
		defer left()
		r.passFrom(p.nearRequests, p.far, started)
		if session && !isClosed(over) {
			r.abandoned.Store(true)
		}
		p.far.Close()
	}()
	go func() {
		if session {
			<-started // before that a server drops what it is sent
		}
		_, _ = io.Copy(p.far, p.near)
		_ = p.far.CloseWrite()
	}()
	p.bringBack(session, over)
	p.near.Close()
}

// bringBack passes on what the other side sends, until it has closed the channel,
// which it does at the same time as over. A session's client is told of the end of
// the output with that of the session: told of it before, it would not wait for the status.
func (p pair) bringBack(session bool, over chan<- struct{}) {
	var output, all sync.WaitGroup
	output.Go(func() { _, _ = io.Copy(p.near.Stderr(), p.far.Stderr()) })
	output.Go(func() { _, _ = io.Copy(p.near, p.far) })
	all.Go(func() {
		output.Wait()
		if !session {
			_ = p.near.CloseWrite()
		}
	})
	all.Go(func() {
		defer close(over)
		pass(p.farRequests, p.near)
	})
	all.Wait()
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
