package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// slowEC2 is a cloud of many instances and images whose states take time, as
// AWS's do. It counts the looks.
type slowEC2 struct {
	*fakeEC2
	running, stopped, available, terminated time.Duration

	mu        sync.Mutex
	instances map[string]passing[types.InstanceStateName]
	made      map[string]passing[types.ImageState]
	looks     []string
	began     time.Time // of the first look
	last      time.Time
}

// passing is a state that becomes another at a time.
type passing[S any] struct {
	from, to S
	at       time.Time
}

func (p passing[S]) now() S {
	if time.Now().Before(p.at) {
		return p.from
	}
	return p.to
}

func newSlow() *slowEC2 {
	return &slowEC2{
		fakeEC2: newFake(),
		running: 20 * time.Second, stopped: 22 * time.Second, available: 63 * time.Second, terminated: 33 * time.Second,
		instances: map[string]passing[types.InstanceStateName]{}, made: map[string]passing[types.ImageState]{},
	}
}

// look records a look at things of one kind.
func (c *slowEC2) look(kind string, filters []types.Filter) []string {
	if c.began.IsZero() {
		c.began = time.Now()
	}
	c.last = time.Now()
	c.looks = append(c.looks, kind)
	return filters[0].Values
}

func (c *slowEC2) DescribeInstances(_ context.Context, in *ec2.DescribeInstancesInput, _ ...options) (*ec2.DescribeInstancesOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &ec2.DescribeInstancesOutput{Reservations: make([]types.Reservation, 1)}
	for _, id := range c.look("instances", in.Filters) {
		if p, ok := c.instances[id]; ok {
			out.Reservations[0].Instances = append(out.Reservations[0].Instances, types.Instance{
				InstanceId: &id, PublicIpAddress: aws.String("192.0.2.1"), State: &types.InstanceState{Name: p.now()},
			})
		}
	}
	return out, nil
}

func (c *slowEC2) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, o ...options) (*ec2.DescribeImagesOutput, error) {
	if len(in.Filters) == 0 || *in.Filters[0].Name != "image-id" {
		return c.fakeEC2.DescribeImages(ctx, in, o...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &ec2.DescribeImagesOutput{}
	for _, id := range c.look("images", in.Filters) {
		if p, ok := c.made[id]; ok {
			out.Images = append(out.Images, types.Image{ImageId: &id, State: p.now()})
		}
	}
	return out, nil
}

func (c *slowEC2) RunInstances(context.Context, *ec2.RunInstancesInput, ...options) (*ec2.RunInstancesOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := fmt.Sprintf("i-%d", len(c.instances))
	c.instances[id] = passing[types.InstanceStateName]{"pending", "running", time.Now().Add(c.running)}
	return &ec2.RunInstancesOutput{Instances: []types.Instance{{InstanceId: &id}}}, nil
}

func (c *slowEC2) StopInstances(_ context.Context, in *ec2.StopInstancesInput, _ ...options) (*ec2.StopInstancesOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instances[in.InstanceIds[0]] = passing[types.InstanceStateName]{"stopping", "stopped", time.Now().Add(c.stopped)}
	return nil, nil
}

func (c *slowEC2) TerminateInstances(_ context.Context, in *ec2.TerminateInstancesInput, _ ...options) (*ec2.TerminateInstancesOutput, error) {
	if c.leak {
		return nil, errors.New("not today")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instances[in.InstanceIds[0]] = passing[types.InstanceStateName]{"shutting-down", "terminated", time.Now().Add(c.terminated)}
	return nil, nil
}

func (c *slowEC2) CreateImage(context.Context, *ec2.CreateImageInput, ...options) (*ec2.CreateImageOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := fmt.Sprintf("ami-%d", len(c.made)+1)
	c.made[id] = passing[types.ImageState]{"pending", "available", time.Now().Add(c.available)}
	return &ec2.CreateImageOutput{ImageId: &id}, nil
}

// bakeMany runs n builds against one slow cloud, apart from each other, and
// returns how often AWS was asked per second while anybody waited.
func bakeMany(t *testing.T, n int, apart time.Duration) (perSecond float64) {
	synctest.Test(t, func(t *testing.T) {
		cloud, shared := newSlow(), &Watcher{}
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				if err := poll.For(t.Context(), time.Duration(i)*apart); err != nil {
					t.Error(err)
				}
				b := newBuilder(t, cloud.fakeEC2, &fakeMachine{})
				b.EC2, b.Watcher = cloud, shared
				if _, err := b.Build(t.Context(), trivial()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		perSecond = float64(len(cloud.looks)) / cloud.last.Sub(cloud.began).Seconds()
	})
	return perSecond
}

// TestLooksDoNotGrow: ten builds, and fifty, ask AWS as often as one does.
func TestLooksDoNotGrow(t *testing.T) {
	one := bakeMany(t, 1, 0)
	for _, n := range []int{10, 50} {
		if many := bakeMany(t, n, 0); many > 1.15*one {
			t.Errorf("%d builds that start together look %.2f times a second, one %.2f times", n, many, one)
		} else {
			t.Logf("%d builds: %.2f looks a second; one: %.2f", n, many, one)
		}
		// Builds in all stages look at instances and at images, each as often as one that waits for either.
		if many := bakeMany(t, n, 3*time.Second); many > 2*looksASecond {
			t.Errorf("%d builds 3 s apart look %.2f times a second", n, many)
		} else {
			t.Logf("%d builds 3 s apart: %.2f looks a second", n, many)
		}
	}
}

// TestNoticedSoon: the image is told at most 4 s after AWS has done its part, and
// before the machine has gone; that is told at most 3 s after it happened.
func TestNoticedSoon(t *testing.T) {
	for _, states := range [][4]int{{7, 7, 7, 7}, {20, 22, 63, 33}, {20, 22, 240, 33}} {
		synctest.Test(t, func(t *testing.T) {
			second := func(i int) time.Duration { return time.Duration(states[i]) * time.Second }
			cloud := newSlow()
			cloud.running, cloud.stopped, cloud.available, cloud.terminated = second(0), second(1), second(2), second(3)
			b := newBuilder(t, cloud.fakeEC2, &fakeMachine{})
			b.EC2 = cloud
			start, ready := time.Now(), time.Duration(0)
			b.OnEvent = func(e Event) {
				if _, ok := e.(ImageReady); ok {
					ready = time.Since(start)
				}
			}
			if _, err := b.Build(t.Context(), trivial()); err != nil {
				t.Fatal(err)
			}
			late, end := ready-second(0)-second(1)-second(2), time.Since(start)-ready-second(3)
			if late < 0 || late > 4*time.Second || end < 0 || end > 3*time.Second {
				t.Errorf("states %v: the image was told %v late, the end %v late", states, late, end)
			}
			t.Logf("states %v: the image was told %v late, the end %v late", states, late, end)
		})
	}
}

// TestTerminationThatFails: the image is there, and so is the error about the machine.
func TestTerminationThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newSlow()
		cloud.leak = true
		b := newBuilder(t, cloud.fakeEC2, &fakeMachine{})
		b.EC2 = cloud
		img, err := b.Build(t.Context(), trivial())
		if want := "left behind: instance i-0: not today"; err == nil || err.Error() != want || img.ID != "ami-1" {
			t.Errorf("image %q, error %v; want ami-1 and %s", img.ID, err, want)
		}
	})
}

// TestSpans: what a build spends its time on, with how long.
func TestSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newSlow()
		cloud.running, cloud.stopped, cloud.available, cloud.terminated = 0, 0, 0, 0
		script := func(ctx context.Context) error { return poll.For(ctx, 5*time.Second) }
		b := newBuilder(t, cloud.fakeEC2, &fakeMachine{run: script})
		b.EC2 = cloud
		var got []string
		b.OnEvent = func(e Event) {
			if s, ok := e.(Span); ok && s.Took > 0 || ok && s.Kind == SpanStage {
				got = append(got, fmt.Sprintf("%s %s %v", s.Kind, s.Name, s.Took))
			}
		}
		if _, err := b.Build(t.Context(), trivial()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"stage plan 0s", "stage launch 0s", "stage connect 0s",
			"script nginx.sh 5s", "step run nginx.sh 5s", "stage provision 5s", "stage capture 0s", "stage clean up 0s",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
