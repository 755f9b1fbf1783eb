package localcloud

import (
	"encoding/base64"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunInstancesAnswersPendingAndThenRuns(t *testing.T) {
	c := openTest(t)
	image := c.base()
	answer := c.ok("RunInstances", "ImageId", image, "MinCount", "2", "MaxCount", "2", "InstanceType", "t3.micro",
		"TagSpecification.1.ResourceType", "instance", "TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "web",
		"TagSpecification.2.ResourceType", "volume", "TagSpecification.2.Tag.1.Key", "Name", "TagSpecification.2.Tag.1.Value", "disk")
	got := map[string][]string{}
	for _, path := range []string{"imageId", "instanceState/code", "instanceState/name", "instanceType", "amiLaunchIndex",
		"privateIpAddress", "ipAddress", "privateDnsName", "rootDeviceName", "tagSet/item/value", "stateReason/code"} {
		got[path] = answer.texts("instancesSet/item/" + path)
	}
	want := map[string][]string{
		"imageId":            {image, image},
		"instanceState/code": {"0", "0"},
		"instanceState/name": {"pending", "pending"},
		"instanceType":       {"t3.micro", "t3.micro"},
		"amiLaunchIndex":     {"0", "1"},
		"privateIpAddress":   {"127.77.0.2", "127.77.0.3"},
		"ipAddress":          {"127.77.0.2", "127.77.0.3"},
		"privateDnsName":     {"ip-127-77-0-2.ec2.internal", "ip-127-77-0-3.ec2.internal"},
		"rootDeviceName":     {"/dev/xvda", "/dev/xvda"},
		"tagSet/item/value":  {"web", "web"},
		"stateReason/code":   {"pending", "pending"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	ids := answer.texts("instancesSet/item/instanceId")
	for _, id := range ids {
		c.until(id, "running")
	}
	volumes := c.ok("DescribeVolumes", "Filter.1.Name", "tag:Name", "Filter.1.Value.1", "disk")
	if got := len(volumes.all("volumeSet/item")); got != 2 {
		t.Errorf("%d volumes with the tag, want 2", got)
	}
	configs := c.machines.startsOf(ids[0])
	layer := filepath.Join(c.dir, "cache", "debian-12-0123")
	if len(configs) != 1 || !cmp.Equal(configs[0].Layers, []string{layer}) || configs[0].Hostname != "ip-127-77-0-2" {
		t.Errorf("the machine was started with %+v", configs)
	}
}

func TestRunInstancesRefuses(t *testing.T) {
	c := openTest(t)
	good := []string{"ImageId", c.base(), "MinCount", "1", "MaxCount", "1", "InstanceType", "t3.micro"}
	with := func(more ...string) []string { return append(good[:len(good):len(good)], more...) }
	for name, test := range map[string]struct {
		pairs []string
		want  string
	}{
		"no image":         {[]string{"MinCount", "1", "MaxCount", "1"}, "400 MissingParameter: The request must contain the parameter ImageId"},
		"bad image id":     {with("ImageId", "ami-xyz"), `400 InvalidAMIID.Malformed: Invalid id: "ami-xyz" (expecting "ami-...")`},
		"unknown image":    {with("ImageId", "ami-22de994a"), "400 InvalidAMIID.NotFound: The image id '[ami-22de994a]' does not exist"},
		"no count":         {[]string{"ImageId", good[1]}, "400 MissingParameter: The request must contain the parameter MinCount"},
		"counts":           {with("MinCount", "3"), "400 InvalidParameterCombination: The maximum count 1 is less than the minimum count 3"},
		"not a number":     {with("MinCount", "one"), "400 InvalidParameterValue: Value (one) for parameter MinCount is invalid. Expecting a whole number."},
		"unknown type":     {with("InstanceType", "t9.huge"), "400 InvalidParameterValue: Invalid value 't9.huge' for InstanceType."},
		"unknown key pair": {with("KeyName", "nobody"), "400 InvalidKeyPair.NotFound: The key pair 'nobody' does not exist"},
		"user data":        {with("UserData", "%%%"), "400 InvalidParameterValue: Invalid BASE64 encoding of user data."},
		"long user data": {with("UserData", base64.StdEncoding.EncodeToString(make([]byte, 16<<10+1))),
			"400 InvalidParameterValue: User data is limited to 16384 bytes"},
		"unknown parameter": {with("CpuOptions.CoreCount", "2"), "400 UnknownParameter: The parameter CpuOptions.CoreCount is not recognized"},
		"tags of a type that is not launched": {with("TagSpecification.1.ResourceType", "image", "TagSpecification.1.Tag.1.Key", "a"),
			"400 UnknownParameter: The parameter TagSpecification.1.ResourceType is not recognized"},
		"network twice": {with("NetworkInterface.1.DeviceIndex", "0", "SecurityGroupId.1", "sg-1"),
			"400 InvalidParameterCombination: Network interfaces and an instance-level security groups may not be specified on the same request"},
		"hibernation": {with("HibernationOptions.Configured", "true"), "400 UnsupportedOperation: The local cloud has no HibernationOptions."},
		"dry run":     {with("DryRun", "true"), "412 DryRunOperation: Request would have succeeded, but DryRun flag is set."},
		"dry run of what would not succeed": {with("DryRun", "true", "Nonsense", "1"),
			"400 UnknownParameter: The parameter Nonsense is not recognized"},
		"shutdown behavior": {with("InstanceInitiatedShutdownBehavior", "explode"),
			"400 InvalidParameterValue: Value (explode) for parameter InstanceInitiatedShutdownBehavior is invalid. Expecting one of: stop, terminate."},
		"address elsewhere": {with("PrivateIpAddress", "10.0.0.1"),
			"400 InvalidParameterValue: Address 10.0.0.1 does not fall within the subnet's address range 127.77.0.0/26"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, c.with(t).fault("RunInstances", test.pairs...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if all := c.ok("DescribeInstances").all("reservationSet/item"); len(all) != 0 {
		t.Errorf("%d reservations were made all the same", len(all))
	}
}

func TestRunInstancesOnceForAClientToken(t *testing.T) {
	c := openTest(t)
	pairs := []string{"ImageId", c.base(), "MinCount", "1", "MaxCount", "1", "ClientToken", "once"}
	first := c.ok("RunInstances", pairs...).text("instancesSet/item/instanceId")
	if again := c.ok("RunInstances", pairs...).text("instancesSet/item/instanceId"); again != first {
		t.Errorf("the second call made %s, the first %s", again, first)
	}
	want := "400 IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
	if got := c.fault("RunInstances", append(pairs, "InstanceType", "t3.large")...); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.region = "eu-west-1"
	if other := c.ok("RunInstances", pairs...).text("instancesSet/item/instanceId"); other == first {
		t.Error("a token of one region counts in another")
	}
}

func TestProtectionAndAttributes(t *testing.T) {
	c := openTest(t)
	id := c.run(c.base(), "DisableApiTermination", "true")
	want := "400 OperationNotPermitted: The instance '" + id + "' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
	if got := c.fault("TerminateInstances", "InstanceId.1", id); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, step := range []struct{ parameter, value, attribute, path, want string }{
		{"DisableApiTermination.Value", "false", "disableApiTermination", "disableApiTermination/value", "false"},
		{"DisableApiStop.Value", "true", "disableApiStop", "disableApiStop/value", "true"},
		{"DisableApiStop.Value", "false", "disableApiStop", "disableApiStop/value", "false"},
		{"InstanceInitiatedShutdownBehavior.Value", "terminate", "instanceInitiatedShutdownBehavior", "instanceInitiatedShutdownBehavior/value", "terminate"},
		{"SourceDestCheck.Value", "false", "sourceDestCheck", "sourceDestCheck/value", "false"},
	} {
		c.ok("ModifyInstanceAttribute", "InstanceId", id, step.parameter, step.value)
		got := c.ok("DescribeInstanceAttribute", "InstanceId", id, "Attribute", step.attribute).text(step.path)
		if got != step.want {
			t.Errorf("%s is %q, want %q", step.attribute, got, step.want)
		}
	}
	for want, pairs := range map[string][]string{
		"400 IncorrectInstanceState: The instance '" + id + "' is not in the 'stopped' state: enaSupport cannot change now.":   {"EnaSupport.Value", "true"},
		"400 UnknownParameter: The parameter Kernel.Value is not recognized":                                                   {"Kernel.Value", "aki-1"},
		"400 InvalidParameterCombination: Fields for multiple attribute types specified, or for none: expecting one, found 0.": {},
		"400 InvalidParameterValue: Value (kernel) for parameter attribute is invalid. The attribute is unknown, or cannot be changed.": {
			"Attribute", "kernel", "Value", "aki-1"},
	} {
		if got := c.fault("ModifyInstanceAttribute", append([]string{"InstanceId", id}, pairs...)...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	c.ok("StopInstances", "InstanceId.1", id)
	c.until(id, "stopped")
	c.ok("ModifyInstanceAttribute", "InstanceId", id, "Attribute", "sriovNetSupport", "Value", "simple")
	c.ok("ModifyInstanceAttribute", "InstanceId", id, "EnaSupport.Value", "false")
	item := c.ok("DescribeInstances", "InstanceId.1", id).all("reservationSet/item/instancesSet/item")[0]
	if got := item.text("enaSupport"); got != "false" {
		t.Errorf("enaSupport is %q, want false", got)
	}
}

func TestDescribeInstancesFiltersAndPages(t *testing.T) {
	c := openTest(t)
	image := c.base()
	tagged := c.run(image, "TagSpecification.1.ResourceType", "instance", "TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "web-1")
	other := c.run(image, "InstanceType", "m5.large")
	c.ok("StopInstances", "InstanceId.1", other)
	c.until(other, "stopped")
	const ids = "reservationSet/item/instancesSet/item/instanceId"
	for name, test := range map[string]struct {
		pairs []string
		want  []string
	}{
		"state":     {[]string{"Filter.1.Name", "instance-state-name", "Filter.1.Value.1", "running"}, []string{tagged}},
		"code":      {[]string{"Filter.1.Name", "instance-state-code", "Filter.1.Value.1", "80"}, []string{other}},
		"wildcard":  {[]string{"Filter.1.Name", "tag:Name", "Filter.1.Value.1", "web-?"}, []string{tagged}},
		"tag key":   {[]string{"Filter.1.Name", "tag-key", "Filter.1.Value.1", "Na*"}, []string{tagged}},
		"any value": {[]string{"Filter.1.Name", "instance-type", "Filter.1.Value.1", "m5.large", "Filter.1.Value.2", "t3.*"}, []string{tagged, other}},
		"both":      {[]string{"Filter.1.Name", "image-id", "Filter.1.Value.1", image, "Filter.2.Name", "instance-id", "Filter.2.Value.1", other}, []string{other}},
		"none":      {[]string{"Filter.1.Name", "key-name", "Filter.1.Value.1", "*"}, nil},
		"group":     {[]string{"Filter.1.Name", "instance.group-name", "Filter.1.Value.1", "default"}, []string{tagged, other}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, c.with(t).ok("DescribeInstances", test.pairs...).texts(ids)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if got, want := c.fault("DescribeInstances", "Filter.1.Name", "colour", "Filter.1.Value.1", "red"),
		"400 InvalidParameterValue: The filter 'colour' is invalid"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	first := c.ok("DescribeInstances", "MaxResults", "1")
	second := c.ok("DescribeInstances", "MaxResults", "1", "NextToken", first.text("nextToken"))
	got := append(first.texts(ids), second.texts(ids)...)
	if diff := cmp.Diff([]string{tagged, other}, got); diff != "" || second.text("nextToken") != "" {
		t.Errorf("pages: -want +got:\n%s then token %q", diff, second.text("nextToken"))
	}
	c.region = "eu-west-1"
	if got := c.ok("DescribeInstances").texts(ids); got != nil {
		t.Errorf("another region lists %q", got)
	}
	if got, want := c.fault("DescribeInstances", "InstanceId.1", tagged), "400 InvalidInstanceID.NotFound: The instance ID '"+tagged+"' does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDescribeInstanceStatus(t *testing.T) {
	c := openTest(t)
	image := c.base()
	id, other := c.run(image), c.run(image)
	c.ok("StopInstances", "InstanceId.1", other)
	c.until(other, "stopped")
	running := c.ok("DescribeInstanceStatus").all("instanceStatusSet/item")
	if len(running) != 1 || running[0].text("instanceId") != id || running[0].text("systemStatus/status") != "ok" ||
		running[0].text("instanceStatus/details/item/status") != "passed" {
		t.Errorf("status of what runs: %+v", running)
	}
	if got := c.ok("DescribeInstanceStatus", "IncludeAllInstances", "true").texts("instanceStatusSet/item/instanceStatus/status"); !cmp.Equal(got, []string{"ok", "not-applicable"}) {
		t.Errorf("status of all: %q", got)
	}
}

func TestConsoleOutput(t *testing.T) {
	c := openTest(t)
	id := c.run(c.base())
	text, err := base64.StdEncoding.DecodeString(c.ok("GetConsoleOutput", "InstanceId", id, "Latest", "true").text("output"))
	if want := "console of " + id + "\n"; err != nil || string(text) != want {
		t.Errorf("got %q (%v), want %q", text, err, want)
	}
	want := "400 OperationNotPermitted: The instance '" + id + "' runs Linux: it has no password data. Connect with its key pair."
	if got := c.fault("GetPasswordData", "InstanceId", id); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSpotInstance(t *testing.T) {
	c := openTest(t)
	id := c.run(c.base(), "InstanceMarketOptions.MarketType", "spot", "InstanceMarketOptions.SpotOptions.MaxPrice", "0.01")
	instance := c.ok("DescribeInstances", "InstanceId.1", id).all("reservationSet/item/instancesSet/item")[0]
	request := instance.text("spotInstanceRequestId")
	spot := c.ok("DescribeSpotInstanceRequests", "SpotInstanceRequestId.1", request).all("spotInstanceRequestSet/item")[0]
	got := []string{instance.text("instanceLifecycle"), spot.text("state"), spot.text("status/code"), spot.text("spotPrice"), spot.text("instanceId")}
	if diff := cmp.Diff([]string{"spot", "active", "fulfilled", "0.01", id}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := c.ok("CancelSpotInstanceRequests", "SpotInstanceRequestId.1", request).text("spotInstanceRequestSet/item/state"); got != "cancelled" {
		t.Errorf("after cancel it is %q", got)
	}
	c.until(id, "running")
}
