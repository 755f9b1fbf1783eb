package localcloud

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// openFaulty opens a cloud with fault rules.
func openFaulty(t *testing.T, rules ...FaultRule) *testCloud {
	t.Helper()
	return openTest(t, func(o *Options) { o.Faults = Faults{Seed: 1, Rules: rules} })
}

// outcome is how a call ends: "ok", or the code of its fault.
func (c *testCloud) outcome(action string, pairs ...string) string {
	c.t.Helper()
	status, body := c.call(action, pairs...)
	if status == http.StatusOK {
		return "ok"
	}
	return parseNode(c.t, body).text("Errors/Error/Code")
}

func (c *testCloud) outcomes(n int, action string, pairs ...string) string {
	c.t.Helper()
	var all []string
	for range n {
		all = append(all, c.outcome(action, pairs...))
	}
	return strings.Join(all, " ")
}

// struck is how often each rule was reached and struck.
func (c *testCloud) struck() [][2]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all [][2]int
	for _, one := range c.faults.counts() {
		all = append(all, [2]int{one.Calls, one.Struck})
	}
	return all
}

func expect[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s, -want +got:\n%s", what, diff)
	}
}

func TestFaultRulesDecideWhichCalls(t *testing.T) {
	c := openFaulty(t,
		FaultRule{Action: "DescribeImages", Nth: []int{2, 4}, Error: "Unavailable"},
		FaultRule{Action: "DescribeImages", Times: 1, Error: "InternalError"},
		FaultRule{Action: "DescribeV*", Nth: []int{3}, Error: "AuthFailure"},
	)
	expect(t, "images", "InternalError Unavailable ok Unavailable ok", c.outcomes(5, "DescribeImages"))
	expect(t, "another action", "ok ok", c.outcomes(2, "DescribeInstances"))
	expect(t, "two actions of one rule", "ok ok AuthFailure ok",
		c.outcomes(2, "DescribeVpcs")+" "+c.outcomes(2, "DescribeVolumes"))
	expect(t, "counts", [][2]int{{5, 2}, {3, 1}, {4, 1}}, c.struck())
}

func TestShareOfCallsIsRepeated(t *testing.T) {
	throttled := func(seed uint64) string {
		c := openTest(t, func(o *Options) {
			o.Faults = Faults{Seed: seed, Rules: []FaultRule{{Action: "*", Share: 0.3, Error: "RequestLimitExceeded"}}}
		})
		return c.outcomes(40, "DescribeKeyPairs")
	}
	first := throttled(5)
	expect(t, "the same seed", first, throttled(5))
	if throttled(6) == first {
		t.Error("another seed has the same faults")
	}
	if n := strings.Count(first, "RequestLimitExceeded"); n < 5 || n > 20 {
		t.Errorf("%d of 40 were throttled, want about 12", n)
	}
}

func TestErrorsAreAnsweredAsAWSDoes(t *testing.T) {
	for code, want := range map[string]string{
		"RequestLimitExceeded":     "503 RequestLimitExceeded: Request limit exceeded.",
		"InternalError":            "500 InternalError: An internal error has occurred",
		"Unavailable":              "503 Unavailable: The service is unavailable. Please try again shortly.",
		"VcpuLimitExceeded":        "400 VcpuLimitExceeded: A fault rule of the local cloud says so",
		"UnauthorizedOperation":    "403 UnauthorizedOperation: A fault rule of the local cloud says so",
		"InvalidParameter.Strange": "400 InvalidParameter.Strange: A fault rule of the local cloud says so",
	} {
		expect(t, code, want, openFaulty(t, FaultRule{Action: "*", Error: code}).fault("DescribeVpcs"))
	}
	c := openFaulty(t, FaultRule{Action: "Get*", Error: "RequestLimitExceeded", Message: "too fast"})
	status, body := c.post("sts", "Action=GetCallerIdentity", nil)
	expect(t, "sts", "Throttling: too fast", parseNode(t, body).text("Error/Code")+": "+parseNode(t, body).text("Error/Message"))
	expect(t, "sts's status", 400, status)
	status, body = c.post("ssm", "{}", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSSM.GetParameter") })
	expect(t, "ssm", `{"__type":"ThrottlingException","message":"too fast"}`, body)
	expect(t, "ssm's status", 400, status)
}

func TestCapacityByTypeAndPlace(t *testing.T) {
	const code = "InsufficientInstanceCapacity"
	c := openFaulty(t,
		FaultRule{Action: "RunInstances", InstanceType: "t3.*", Zone: "us-east-1a", Error: code},
		FaultRule{Action: "StartInstances", InstanceType: "m5.large", Error: code},
	)
	image := c.base()
	run := func(pairs ...string) string {
		t.Helper()
		return c.outcome("RunInstances", append([]string{"ImageId", image, "MinCount", "1", "MaxCount", "1"}, pairs...)...)
	}
	expect(t, "the default zone", code, run("InstanceType", "t3.micro"))
	expect(t, "another zone", "ok", run("InstanceType", "t3.micro", "Placement.AvailabilityZone", "us-east-1b"))
	expect(t, "another type", "ok", run("InstanceType", "c5.large"))
	subnets := map[string]string{}
	for _, item := range c.ok("DescribeSubnets").all("subnetSet/item") {
		subnets[item.text("availabilityZone")] = item.text("subnetId")
	}
	expect(t, "a subnet", code, run("InstanceType", "t3.large", "SubnetId", subnets["us-east-1a"]))
	expect(t, "another subnet, of an interface", "ok", run("InstanceType", "t3.large",
		"NetworkInterface.1.DeviceIndex", "0", "NetworkInterface.1.SubnetId", subnets["us-east-1b"]))
	id := c.run(image, "InstanceType", "m5.large")
	c.ok("StopInstances", "InstanceId.1", id)
	c.until(id, "stopped")
	expect(t, "a start", code, c.outcome("StartInstances", "InstanceId.1", id))

	c.setFaults(Faults{Rules: []FaultRule{{Action: "RunInstances", Subnet: subnets["us-east-1c"], Error: code}}})
	expect(t, "the subnet itself", code, run("SubnetId", subnets["us-east-1c"]))
	expect(t, "not the subnet", "ok", run("SubnetId", subnets["us-east-1a"]))
}

// isReset says whether a call's connection was reset, not just closed.
func isReset(t *testing.T, c *testCloud, form string) bool {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.endpoint()+"/", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signTest(r, form, c.keys, c.region, "ec2", time.Now())
	answer, err := http.DefaultClient.Do(r)
	if err == nil {
		answer.Body.Close()
		t.Fatalf("%s was answered: %s", form, answer.Status)
	}
	return errors.Is(err, syscall.ECONNRESET)
}

func TestResetBeforeAndAfterTheEffect(t *testing.T) {
	const form = "Action=CreateSecurityGroup&GroupName=web&GroupDescription=web"
	for when, want := range map[string]string{"before": "ok", "after": "InvalidGroup.Duplicate"} {
		t.Run(when, func(t *testing.T) {
			c := openFaulty(t, FaultRule{Action: "CreateSecurityGroup", Nth: []int{1}, Reset: when})
			if !isReset(t, c, form) {
				t.Error("the connection ended without a reset")
			}
			expect(t, "the next", want, c.outcome("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "web"))
		})
	}
}

func TestDelayComesBeforeTheEffect(t *testing.T) {
	const delay = 60 * time.Millisecond
	c := openFaulty(t,
		FaultRule{Action: "CreateKeyPair", Delay: Span(delay / 2)},
		FaultRule{Action: "CreateKeyPair", Delay: Span(delay / 2)},
	)
	began := time.Now()
	done := make(chan string, 1)
	go func() { done <- c.outcome("CreateKeyPair", "KeyName", "slow", "KeyType", "ed25519") }()
	eventually(t, "the key pair is there", func() bool { return len(c.ok("DescribeKeyPairs").all("keySet/item")) == 1 })
	if after := time.Since(began); after < delay {
		t.Errorf("there after %v, want %v", after, delay)
	}
	expect(t, "answer", "ok", <-done)
}

// clock is a time that a test moves; signatures are good for 15 minutes.
func (c *testCloud) clock() (forward func(time.Duration)) {
	var passed atomic.Int64
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	return func(d time.Duration) { passed.Add(int64(d)) }
}

func TestWhatIsMadeIsUnknownForATime(t *testing.T) {
	c := openTest(t)
	forward := c.clock()
	image := c.base()
	old := c.run(image)
	c.setFaults(Faults{Rules: []FaultRule{{Action: "*", Consistency: Span(10 * time.Second)}}})

	id := c.ok("RunInstances", "ImageId", image, "MinCount", "1", "MaxCount", "1").text("instancesSet/item/instanceId")
	made := c.ok("CreateImage", "InstanceId", old, "Name", "made").text("imageId")
	volume := c.ok("CreateVolume", "AvailabilityZone", "us-east-1a", "Size", "1").text("volumeId")
	group := c.ok("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "web").text("groupId")
	c.ok("CreateKeyPair", "KeyName", "mine", "KeyType", "ed25519")
	c.ok("CreateTags", "ResourceId.1", old, "Tag.1.Key", "stage", "Tag.1.Value", "made of "+id)
	calls := [][]string{
		{"DescribeInstances", "InstanceId.1", id},
		{"DescribeInstanceStatus", "InstanceId.1", id},
		{"DescribeImages", "ImageId.1", made},
		{"DescribeVolumes", "VolumeId.1", volume},
		{"DescribeSecurityGroups", "GroupId.1", group},
		{"DescribeKeyPairs", "KeyName.1", "mine"},
		{"RebootInstances", "InstanceId.1", old, "InstanceId.2", id},
		{"CreateTags", "ResourceId.1", made, "Tag.1.Key", "a", "Tag.1.Value", "b"},
		{"AuthorizeSecurityGroupIngress", "GroupName", "web", "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8"},
		{"RunInstances", "ImageId", image, "MinCount", "1", "MaxCount", "1", "KeyName", "mine"},
		{"DeleteVolume", "VolumeId", volume},
		{"DescribeTags", "Filter.1.Name", "key", "Filter.1.Value.1", "stage"},
	}
	outcomes := func() (all []string) {
		for _, call := range calls[:len(calls)-1] {
			all = append(all, c.outcome(call[0], call[1:]...))
		}
		return append(all, c.ok("DescribeTags", calls[len(calls)-1][1:]...).text("tagSet/item/resourceId"))
	}
	expect(t, "at once", []string{
		"InvalidInstanceID.NotFound", "InvalidInstanceID.NotFound", "InvalidAMIID.NotFound", "InvalidVolume.NotFound",
		"InvalidGroup.NotFound", "InvalidKeyPair.NotFound", "InvalidInstanceID.NotFound", "InvalidAMIID.NotFound",
		"InvalidGroup.NotFound", "InvalidKeyPair.NotFound", "InvalidVolume.NotFound", "",
	}, outcomes())
	expect(t, "listed", old, c.ok("DescribeInstances").text("reservationSet/item/instancesSet/item/instanceId"))
	expect(t, "made again", "InvalidGroup.Duplicate InvalidKeyPair.Duplicate",
		c.outcome("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "web")+" "+
			c.outcome("CreateKeyPair", "KeyName", "mine", "KeyType", "ed25519"))

	forward(9 * time.Second)
	expect(t, "after 9 s", "InvalidInstanceID.NotFound", c.outcome("DescribeInstances", "InstanceId.1", id))
	forward(time.Second)
	c.until(id, "running")
	expect(t, "after 10 s", []string{"ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", old}, outcomes())
}

func TestDeletingAnUnknownKeyPairDeletesIt(t *testing.T) {
	c := openFaulty(t, FaultRule{Action: "CreateKeyPair", Consistency: Span(time.Hour)})
	c.ok("CreateKeyPair", "KeyName", "mine", "KeyType", "ed25519")
	c.ok("DeleteKeyPair", "KeyName", "mine")
	c.setFaults(Faults{})
	expect(t, "key pairs", 0, len(c.ok("DescribeKeyPairs").all("keySet/item")))
}

func TestUnknownResourcesAreSaved(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir, func(o *Options) {
		o.Faults = Faults{Rules: []FaultRule{{Action: "*", Consistency: Span(time.Hour)}}}
	})
	c.ok("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "web")
	c.ok("DescribeVpcs")
	c.ok("CreateSecurityGroup", "GroupName", "db", "GroupDescription", "db") // saves
	c.stop()
	expect(t, "groups", "db default web", openTestIn(t, dir).ok("DescribeSecurityGroups").text("securityGroupInfo/item/groupName"))
}

func TestFaultsOfARunningCloud(t *testing.T) {
	c := openFaulty(t, FaultRule{Action: "DescribeVpcs", Error: "Unavailable"})
	client, err := NewClient(c.options.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	faults := func() []FaultCount {
		t.Helper()
		all, err := client.Faults(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	c.fault("DescribeVpcs")
	expect(t, "at first", []FaultCount{{FaultRule{Action: "DescribeVpcs", Error: "Unavailable"}, 1, 1}}, faults())

	if err := client.SetFaults(t.Context(), []byte(`{"rules": [{"action": "DescribeVpcs", "delay": "1ms"}]}`)); err != nil {
		t.Fatal(err)
	}
	c.ok("DescribeVpcs")
	want := []FaultCount{{FaultRule{Action: "DescribeVpcs", Delay: Span(time.Millisecond)}, 1, 1}}
	expect(t, "set", want, faults())

	err = client.SetFaults(t.Context(), []byte("{\n\"rules\": 1}"))
	if err == nil || err.Error() != "line 2: rules: expects a list" {
		t.Errorf("a bad file: %v", err)
	}
	expect(t, "after a bad file", want, faults())
	if err := client.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "cleared", []FaultCount{}, faults())
}
