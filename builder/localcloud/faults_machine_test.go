package localcloud

import (
	"testing"
	"time"
)

// reason is an instance's state and why.
func (c *testCloud) reason(id string) string {
	c.t.Helper()
	item := c.ok("DescribeInstances", "InstanceId.1", id).all("reservationSet/item/instancesSet/item")[0]
	return item.text("instanceState/name") + ": " + item.text("stateReason/message")
}

func TestMachineThatNeverBoots(t *testing.T) {
	c := openFaulty(t, FaultRule{Action: "RunInstances", Nth: []int{1}, Machine: neverBoots})
	image := c.base()
	never, well := c.run(image), c.run(image)
	status := func(id string) string {
		t.Helper()
		return c.ok("DescribeInstanceStatus", "InstanceId.1", id).text("instanceStatusSet/item/instanceStatus/status")
	}
	expect(t, "its status", "impaired", status(never))
	expect(t, "the other's status", "ok", status(well))
	c.ok("RebootInstances", "InstanceId.1", never)
	c.ok("StopInstances", "InstanceId.1", never)
	c.until(never, "stopped")
	c.ok("StartInstances", "InstanceId.1", never)
	c.until(never, "running")
	expect(t, "starts of its machine", 0, len(c.machines.startsOf(never)))
	expect(t, "starts of the other", 1, len(c.machines.startsOf(well)))
	c.ok("TerminateInstances", "InstanceId.1", never)
	c.until(never, "terminated")
}

func TestMachineThatDies(t *testing.T) {
	c := openFaulty(t,
		FaultRule{Action: "RunInstances", Times: 1, Machine: dies, After: Span(50 * time.Millisecond)},
		FaultRule{Action: "StartInstances", Machine: dies},
	)
	image := c.base()
	id, well := c.run(image), c.run(image)
	g := c.machines.guest(id)
	c.until(id, "terminated")
	<-g.done
	const died = "terminated: Server.InternalError: An internal error ended the instance"
	expect(t, "the instance", died, c.reason(id))
	expect(t, "the other", "running: ", c.reason(well))
	c.ok("StopInstances", "InstanceId.1", well)
	c.until(well, "stopped")
	c.ok("StartInstances", "InstanceId.1", well)
	c.until(well, "terminated")
	expect(t, "the other, started again", died, c.reason(well))
}

func TestMachineThatHangsInStop(t *testing.T) {
	for name, test := range map[string]struct {
		rule FaultRule
		end  []string // the call that ends it, none when it ends by itself
		want string
	}{
		"for a time":       {FaultRule{Action: "StopInstances", Machine: hangsInStop, For: Span(50 * time.Millisecond)}, nil, "stopped"},
		"until forced":     {FaultRule{Action: "RunInstances", Machine: hangsInStop}, []string{"StopInstances", "Force", "true"}, "stopped"},
		"until terminated": {FaultRule{Action: "StopInstances", Machine: hangsInStop}, []string{"TerminateInstances"}, "terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			c := openFaulty(t, test.rule)
			id := c.run(c.base())
			g := c.machines.guest(id)
			c.ok("StopInstances", "InstanceId.1", id)
			<-g.done // the machine is down
			expect(t, "while it hangs", "stopping", c.instanceState(id))
			if test.end != nil {
				c.hanging(id)
				c.ok(test.end[0], append([]string{"InstanceId.1", id}, test.end[1:]...)...)
			}
			c.until(id, test.want)
		})
	}
}

// hanging waits until an instance hangs in its stop.
func (c *testCloud) hanging(id string) {
	c.t.Helper()
	eventually(c.t, "instance "+id+" hangs", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.lives[id].hanging
	})
}

func TestForcedStopDoesNotHang(t *testing.T) {
	c := openFaulty(t, FaultRule{Action: "StopInstances", Machine: hangsInStop})
	id := c.run(c.base())
	c.ok("StopInstances", "InstanceId.1", id, "Force", "true")
	c.until(id, "stopped")
}

// A hang does not hold up the end of the cloud.
func TestHangEndsWithTheCloud(t *testing.T) {
	c := openFaulty(t, FaultRule{Action: "StopInstances", Times: 1, Machine: hangsInStop})
	id := c.run(c.base())
	c.ok("StopInstances", "InstanceId.1", id)
	c.hanging(id)
	ended := make(chan struct{})
	go func() { c.stop(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the cloud does not end")
	}
}

func TestDiskThatIsSoonFull(t *testing.T) {
	for name, test := range map[string]struct{ bound, want int64 }{
		"without a bound": {0, 64 << 20},
		"a larger bound":  {1 << 30, 64 << 20},
		"a smaller bound": {48 << 20, 48 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			c := openTest(t, func(o *Options) {
				o.DiskBytes = test.bound
				o.Faults = Faults{Rules: []FaultRule{{Action: "RunInstances", Nth: []int{1}, Machine: diskFull, Bytes: 64 << 20}}}
			})
			image := c.base()
			full, well := c.run(image), c.run(image)
			expect(t, "bytes", test.want, c.machines.startsOf(full)[0].DiskBytes)
			expect(t, "bytes of the other", test.bound, c.machines.startsOf(well)[0].DiskBytes)
		})
	}
}

func TestResultsThatFail(t *testing.T) {
	rule := func(action string) FaultRule {
		return FaultRule{Action: action, Times: 1, Result: failed, After: Span(20 * time.Millisecond), Message: "trouble in " + action}
	}
	c := openFaulty(t, rule("CreateImage"), rule("CopyImage"), rule("CreateSnapshot"), rule("CopySnapshot"))
	id := c.run(c.base())
	image := func(id string) string {
		t.Helper()
		var item node
		eventually(t, "image "+id+" is made", func() bool {
			item = c.ok("DescribeImages", "ImageId.1", id).all("imagesSet/item")[0]
			return item.text("imageState") != "pending"
		})
		return item.text("imageState") + ": " + item.text("stateReason/message")
	}
	snapshot := func(id string) string {
		t.Helper()
		var item node
		eventually(t, "snapshot "+id+" is made", func() bool {
			item = c.ok("DescribeSnapshots", "SnapshotId.1", id).all("snapshotSet/item")[0]
			return item.text("status") != "pending"
		})
		return item.text("status") + ": " + item.text("statusMessage")
	}
	bad := c.ok("CreateImage", "InstanceId", id, "Name", "bad").text("imageId")
	expect(t, "at first", "pending", c.ok("DescribeImages", "ImageId.1", bad).text("imagesSet/item/imageState"))
	expect(t, "an image", "failed: trouble in CreateImage", image(bad))
	good := c.ok("CreateImage", "InstanceId", id, "Name", "good").text("imageId")
	expect(t, "the next image", "available: ", image(good))
	expect(t, "a copy", "failed: trouble in CopyImage",
		image(c.ok("CopyImage", "SourceRegion", "us-east-1", "SourceImageId", good, "Name", "copy").text("imageId")))
	expect(t, "the next copy", "available: ",
		image(c.ok("CopyImage", "SourceRegion", "us-east-1", "SourceImageId", good, "Name", "copy 2").text("imageId")))

	volume := c.ok("DescribeVolumes").text("volumeSet/item/volumeId")
	expect(t, "a snapshot", "error: trouble in CreateSnapshot", snapshot(c.ok("CreateSnapshot", "VolumeId", volume).text("snapshotId")))
	whole := c.ok("CreateSnapshot", "VolumeId", volume).text("snapshotId")
	expect(t, "the next snapshot", "completed: ", snapshot(whole))
	expect(t, "a copy of a snapshot", "error: trouble in CopySnapshot",
		snapshot(c.ok("CopySnapshot", "SourceRegion", "us-east-1", "SourceSnapshotId", whole).text("snapshotId")))
	expect(t, "the good image boots", "running", c.instanceState(c.run(good)))
}
