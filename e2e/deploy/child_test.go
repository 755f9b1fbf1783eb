package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/imagobuild/imago/builder/deploy"
)

// childEnv has this program be one that releases, and can be killed for it.
const childEnv = "IMAGO_DEPLOY_CHILD"

// order is what a child is to do.
type order struct {
	Endpoint    string
	Exports     map[string]string
	Environment deploy.Environment
	Image       string // to release; else it goes back
}

// child does what it is told, and returns its exit code.
func child(what string) int {
	var o order
	if err := json.Unmarshal([]byte(what), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	cloud = &localCloud{exports: o.Exports}
	d := deployerAt(o.Endpoint)
	d.Holder = fmt.Sprintf("child %d", os.Getpid())
	d.Notify = func(e deploy.Event) { fmt.Fprintln(os.Stderr, e.At.Format("05.000"), e.Step, e.Text) }
	var err error
	if o.Image != "" {
		_, err = d.Run(context.Background(), o.Environment, deploy.Wanted{Image: o.Image})
	} else {
		_, err = d.Rollback(context.Background(), o.Environment, 0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a child that runs.
type process struct {
	cmd  *exec.Cmd
	said output
	gone chan struct{}
}

// output may be read while it is written.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// start starts a child that releases an image, or with "" goes back, by way of an endpoint.
func (p *place) start(t *testing.T, endpoint, image string) *process {
	t.Helper()
	text, err := json.Marshal(order{Endpoint: endpoint, Exports: cloud.exports, Environment: p.Environment, Image: image})
	if err != nil {
		t.Fatal(err)
	}
	c := &process{cmd: exec.Command(os.Args[0]), gone: make(chan struct{})}
	c.cmd.Env, c.cmd.Stderr = append(cloud.environ(), childEnv+"="+string(text)), &c.said
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.cmd.Wait(); close(c.gone) }() //nolint:errcheck // its exit code is looked at
	t.Cleanup(func() { c.cmd.Process.Kill(); <-c.gone })
	return c
}
