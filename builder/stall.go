package builder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/provision"
)

// Phase is how far the way into a machine leads.
type Phase string

// Phases, in their order.
const (
	PhaseBastion Phase = "bastion"    // we do not get as far as the bastion
	PhaseRoute   Phase = "no route"   // nobody answers at the machine's address
	PhaseRefused Phase = "refused"    // the machine answers, and no server of its own
	PhaseSSH     Phase = "SSH"        // a server answers, and not as an SSH server should
	PhaseHostKey Phase = "host key"   // the SSH server has another key than the machine should have
	PhaseLogin   Phase = "login"      // it does not let us in
	PhaseBooting Phase = "cloud-init" // the same two, while cloud-init still works on them
)

// StallError reports a machine that never let us in.
type StallError struct {
	Phase   Phase
	Addr    string
	After   time.Duration
	Console string // the last lines on the machine's console; empty when there are none
	Err     error  // of the last try

	advice string
}

// Error says how far we came, and what to look at.
func (e *StallError) Error() string {
	return fmt.Sprintf("no SSH at %s after %v (%s): %s: %v", e.Addr, e.After, e.Phase, e.advice, e.Err)
}

// Unwrap returns the error of the last try.
func (e *StallError) Unwrap() error { return e.Err }

// stalled says where the way into a machine ends, and shows its console.
func (b *Builder) stalled(ctx context.Context, d dialer, after time.Duration) error {
	console := b.console(ctx, d.inst.id)
	e := &StallError{Addr: d.addr, After: after.Round(time.Second / 10), Console: lastLines(console, 10), Err: d.last}
	e.Phase = phaseOf(d.last, console)
	e.advice = d.advice(e.Phase)
	if e.Console != "" {
		b.note("the last lines on the machine's console:")
		for line := range strings.Lines(e.Console) {
			b.note("%s", strings.TrimSpace(line))
		}
	}
	return e
}

// phaseOf says what kind of error ended a try.
func phaseOf(err error, console string) Phase {
	for _, is := range []struct {
		err   error
		phase Phase
	}{{provision.ErrBastion, PhaseBastion}, {provision.ErrUnreachable, PhaseRoute}, {provision.ErrRefused, PhaseRefused}} {
		if errors.Is(err, is.err) {
			return is.phase
		}
	}
	phase := PhaseSSH
	switch {
	case errors.Is(err, provision.ErrHostKey):
		phase = PhaseHostKey
	case errors.Is(err, provision.ErrAuth):
		phase = PhaseLogin
	default:
		return phase
	}
	if at := strings.LastIndex(console, "Cloud-init v."); at >= 0 && !strings.Contains(console[at:], " finished at ") {
		return PhaseBooting
	}
	return phase
}

// advice is what to look at when the way ends in a phase.
func (d dialer) advice(p Phase) string {
	from := "this computer"
	if d.ssh.Bastion != nil {
		from = "the bastion"
	}
	switch p {
	case PhaseBastion:
		return "the bastion does not let us through: check ssh_bastion_host and its login"
	case PhaseRoute:
		return fmt.Sprintf("nobody answers: its security group must let %s in at port %d, and its subnet needs a route to it, "+
			"such as an internet gateway and associate_public_ip_address, or ssh_interface for an address that is reached otherwise", from, d.inst.addr.port)
	case PhaseRefused:
		return fmt.Sprintf("the machine is there, and nothing listens at port %d: sshd has not started, or listens elsewhere (ssh_port)", d.inst.addr.port)
	case PhaseHostKey:
		return "another machine answers, somebody is in between, or the image's cloud-init did not take the host key that it was given in user-data (--ssh-host-key console or a fingerprint is for such images)"
	case PhaseLogin:
		return fmt.Sprintf("the machine does not know us: is %q the image's user (ssh_username: admin on Debian, ubuntu on Ubuntu, ec2-user on Amazon Linux), "+
			"and is the key the one that cloud-init or the image puts there?", d.ssh.User)
	case PhaseBooting:
		return "cloud-init has not finished, and gives the machine its host key and our login: user-data or a network that it waits for may hold it up"
	default:
		return "something answers, but not as an SSH server does: sshd may be starting or overloaded, or it is another service (ssh_port)"
	}
}

// console is what the machine has written on its console, as far as AWS has it.
func (b *Builder) console(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	out, err := b.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)})
	if awserr.Is(err, "UnsupportedOperation", "InvalidParameterCombination") { // only some types have the latest
		out, err = b.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id})
	}
	if err != nil {
		return ""
	}
	text, err := decodeConsole(aws.ToString(out.Output))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\r", ""))
}

func lastLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
