package builder

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

// consoleEC2 is a cloud whose machine has a console.
type consoleEC2 struct {
	*fakeEC2
	console string
}

func (c consoleEC2) GetConsoleOutput(context.Context, *ec2.GetConsoleOutputInput, ...options) (*ec2.GetConsoleOutputOutput, error) {
	return &ec2.GetConsoleOutputOutput{Output: aws.String(base64.StdEncoding.EncodeToString([]byte(c.console)))}, nil
}

// TestStalled: a machine that never lets us in yields how far we came, what to
// look at, and what it said last.
func TestStalled(t *testing.T) {
	const (
		working  = "Cloud-init v. 22.4.2 running 'init' at Thu\nCloud-init v. 22.4.2 running 'modules:config' at Thu\nwaiting\n"
		finished = working + "Cloud-init v. 22.4.2 finished at Thu, 01 Jan. Up 9 seconds\nlogin: \n"
	)
	for name, tt := range map[string]struct {
		err     error
		console string
		bastion bool
		want    string // of the error's text
		tail    string
	}{
		"no route":            {err: provision.ErrUnreachable, want: "(no route): nobody answers: its security group must let this computer in at port 22, "},
		"no route by bastion": {err: provision.ErrUnreachable, bastion: true, want: "(no route): nobody answers: its security group must let the bastion in at port 22, "},
		"bastion":             {err: fmt.Errorf("%w: %w", provision.ErrBastion, provision.ErrRefused), bastion: true, want: "(bastion): the bastion does not let us through: "},
		"refused": {err: provision.ErrRefused, console: "one\r\n\r\ntwo\r\n", tail: "one\n\ntwo",
			want: "(refused): the machine is there, and nothing listens at port 22: "},
		"SSH":                  {err: errors.New("no greeting"), want: "(SSH): something answers, but not as an SSH server does: "},
		"host key":             {err: provision.ErrHostKey, want: "(host key): another machine answers, somebody is in between, or "},
		"login":                {err: provision.ErrAuth, console: finished, tail: strings.TrimSpace(finished), want: `(login): the machine does not know us: is "admin" the image's user `},
		"cloud-init, host key": {err: provision.ErrHostKey, console: working, tail: strings.TrimSpace(working), want: "(cloud-init): cloud-init has not finished, "},
		"cloud-init, login":    {err: provision.ErrAuth, console: working, tail: strings.TrimSpace(working), want: "(cloud-init): cloud-init has not finished, "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBuilder(t, newFake(), &fakeMachine{})
				b.EC2 = consoleEC2{newFake(), tt.console}
				b.Dial = func(context.Context, string, provision.Identity) (Machine, error) { return nil, tt.err }
				var notes []string
				b.OnEvent = func(e Event) {
					if n, ok := e.(Note); ok {
						notes = append(notes, n.Text)
					}
				}
				cfg := trivial()
				cfg.SSH.Timeout = 2 * time.Minute
				if tt.bastion {
					cfg.SSH.Bastion = &provision.Bastion{Addr: "192.0.2.9:22"}
				}
				_, err := b.Build(t.Context(), cfg)
				stall := new(StallError)
				if !errors.As(err, &stall) || !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want a *StallError with %v", err, tt.err)
				}
				prefix := fmt.Sprintf("connect i-1: no SSH at 192.0.2.1:22 after %v %s", stall.After, tt.want)
				if !strings.HasPrefix(err.Error(), prefix) || !strings.HasSuffix(err.Error(), ": "+tt.err.Error()) {
					t.Errorf("error %q, want %q, and at the end %q", err, prefix, tt.err)
				}
				if diff := cmp.Diff(tt.tail, stall.Console); diff != "" {
					t.Errorf("console (-want +got):\n%s", diff)
				}
				if said := strings.Join(notes, "\n"); tt.tail != "" && !strings.Contains(said, "the last lines on the machine's console:\n"+tt.tail) {
					t.Errorf("the user was told %q, want the console's last lines", said)
				}
			})
		})
	}
}

// TestRevive: after a script that was expected to take the connection with it,
// the next step begins once the machine says that it is ready, and not before.
func TestRevive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := make(chan struct{})
		close(lost)
		left := new(provision.Left)
		first := &fakeMachine{done: lost, left: left}
		goesDown, ready := &fakeMachine{done: lost}, &fakeMachine{ready: true}
		machines := []*fakeMachine{first, goesDown, ready}
		next := 0
		dial := func(context.Context) (Machine, error) {
			next++
			return machines[next], nil
		}
		c := &connection{Machine: first, dial: dial}
		if err := c.revive(t.Context()); err != nil || c.Machine != Machine(ready) {
			t.Errorf("revive = %v with machine %d", err, next)
		}
		if goesDown.awaited != left || ready.awaited != left {
			t.Error("the machines were not asked about what the first one left")
		}
	})
}

// TestLostForGood: when the connection is lost because the machine has gone,
// nobody tries to get it back, and the error says why.
func TestLostForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, lost := newFake(), make(chan struct{})
		m := &fakeMachine{done: lost}
		m.run = func(ctx context.Context) error {
			cloud.become("shutting-down")
			close(lost)
			<-ctx.Done()
			return context.Cause(ctx)
		}
		_, err := newBuilder(t, cloud, m).Build(t.Context(), trivial())
		if want := "provision: the instance is shutting-down: AWS gives no reason"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	})
}
