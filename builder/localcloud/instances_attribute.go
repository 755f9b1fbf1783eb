package localcloud

import (
	"encoding/base64"
	"slices"
)

type valueItem struct {
	Value string `xml:"value"`
}

type boolItem struct {
	Value bool `xml:"value"`
}

// attributeAnswer has the one attribute that was asked for.
type attributeAnswer struct {
	InstanceID      string        `xml:"instanceId"`
	Type            *valueItem    `xml:"instanceType"`
	Kernel          *struct{}     `xml:"kernel"`
	Ramdisk         *struct{}     `xml:"ramdisk"`
	UserData        *userDataItem `xml:"userData"`
	KeepFromAPI     *boolItem     `xml:"disableApiTermination"`
	KeepFromAPIStop *boolItem     `xml:"disableApiStop"`
	OnShutdown      *valueItem    `xml:"instanceInitiatedShutdownBehavior"`
	RootDevice      *valueItem    `xml:"rootDeviceName"`
	Devices         *devicesItem  `xml:"blockDeviceMapping"`
	Groups          *groupItems   `xml:"groupSet"`
	SourceDestCheck *boolItem     `xml:"sourceDestCheck"`
	EbsOptimized    *boolItem     `xml:"ebsOptimized"`
	ENA             *boolItem     `xml:"enaSupport"`
	SRIOV           *valueItem    `xml:"sriovNetSupport"`
	ProductCodes    *struct{}     `xml:"productCodes"`
}

type userDataItem struct {
	Value string `xml:"value,omitempty"`
}

type devicesItem struct {
	Items []deviceItem `xml:"item"`
}

func describeInstanceAttribute(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	name := r.need("Attribute")
	if err := r.bad(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	answer := attributeAnswer{InstanceID: inst.ID}
	switch name {
	case "instanceType":
		answer.Type = &valueItem{inst.Type}
	case "kernel":
		answer.Kernel = &struct{}{}
	case "ramdisk":
		answer.Ramdisk = &struct{}{}
	case "userData":
		answer.UserData = &userDataItem{base64.StdEncoding.EncodeToString(inst.UserData)}
	case "disableApiTermination":
		answer.KeepFromAPI = &boolItem{inst.KeepFromAPI}
	case "disableApiStop":
		answer.KeepFromAPIStop = &boolItem{inst.KeepFromAPIStop}
	case "instanceInitiatedShutdownBehavior":
		answer.OnShutdown = &valueItem{inst.OnShutdown}
	case "rootDeviceName":
		answer.RootDevice = &valueItem{inst.RootDevice}
	case "blockDeviceMapping":
		answer.Devices = &devicesItem{c.instanceItem(inst).Devices}
	case "groupSet":
		groups := c.groupItems(inst.Groups)
		answer.Groups = &groups
	case "sourceDestCheck":
		answer.SourceDestCheck = &boolItem{inst.SourceDestCheck}
	case "ebsOptimized":
		answer.EbsOptimized = &boolItem{inst.EbsOptimized}
	case "enaSupport":
		answer.ENA = &boolItem{inst.ENA}
	case "sriovNetSupport":
		answer.SRIOV = &valueItem{inst.SRIOV}
	case "productCodes":
		answer.ProductCodes = &struct{}{}
	default:
		return nil, badValue("attribute", name, "Unknown attribute.")
	}
	return answer, nil
}

// modifyInstanceAttribute changes one attribute, named either by Attribute and
// Value or by a parameter of its own.
func modifyInstanceAttribute(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	if err := r.bad(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	changes, err := c.readChanges(r, inst)
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	if len(changes) != 1 {
		return nil, faultf("InvalidParameterCombination", "Fields for multiple attribute types specified, or for none: "+
			"expecting one, found %d.", len(changes))
	}
	return simpleAnswer{Return: true}, changes[0]()
}

// readChanges is what the request wants changed; nothing is changed yet.
func (c *Cloud) readChanges(r *request, inst *instance) ([]func() error, error) {
	named := r.text("Attribute")
	var changes []func() error
	flag := func(attribute, parameter string, whenStopped bool, field *bool) {
		below := r.at(parameter)
		value := below.boolean("Value")
		if named == attribute {
			value = r.boolean("Value")
		}
		if value != nil {
			changes = append(changes, inst.change(whenStopped, attribute, func() { *field = *value }))
		}
	}
	text := func(attribute, parameter string, whenStopped bool, field *string, allowed func(string) bool) {
		value := r.at(parameter).text("Value")
		if named == attribute {
			value = r.text("Value")
		}
		if value == "" {
			return
		}
		if !allowed(value) {
			r.problem(badValue(attribute, value, "It is not a value of this attribute."))
		}
		changes = append(changes, inst.change(whenStopped, attribute, func() { *field = value }))
	}
	flag("disableApiTermination", "DisableApiTermination", false, &inst.KeepFromAPI)
	flag("disableApiStop", "DisableApiStop", false, &inst.KeepFromAPIStop)
	flag("sourceDestCheck", "SourceDestCheck", false, &inst.SourceDestCheck)
	flag("ebsOptimized", "EbsOptimized", true, &inst.EbsOptimized)
	flag("enaSupport", "EnaSupport", true, &inst.ENA)
	text("instanceType", "InstanceType", true, &inst.Type, knownInstanceType)
	text("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior", false, &inst.OnShutdown,
		func(v string) bool { return v == "stop" || v == "terminate" })
	text("sriovNetSupport", "SriovNetSupport", true, &inst.SRIOV, func(v string) bool { return v == "simple" })
	more, err := c.readListChanges(r, inst, named)
	if known := []string{"", "disableApiTermination", "disableApiStop", "sourceDestCheck", "ebsOptimized", "enaSupport",
		"instanceType", "instanceInitiatedShutdownBehavior", "sriovNetSupport", "userData"}; !slices.Contains(known, named) {
		return nil, badValue("attribute", named, "The attribute is unknown, or cannot be changed.")
	}
	return append(changes, more...), err
}

// readListChanges are the changes that are more than one value.
func (c *Cloud) readListChanges(r *request, inst *instance, named string) ([]func() error, error) {
	var changes []func() error
	userData := r.at("UserData").text("Value")
	if named == "userData" {
		userData = r.text("Value")
	}
	if userData != "" {
		data, err := base64.StdEncoding.DecodeString(userData)
		if err != nil || len(data) > maxUserData {
			return nil, faultf("InvalidParameterValue", "Invalid user data: expecting BASE64 of at most %d bytes.", maxUserData)
		}
		changes = append(changes, inst.change(true, "userData", func() { inst.UserData = data }))
	}
	if ids := r.list("GroupId"); len(ids) > 0 {
		groups, err := c.findGroups(r.region, ids, nil)
		if err != nil {
			return nil, err
		}
		changes = append(changes, inst.change(false, "groupSet", func() {
			inst.Groups = nil
			for _, g := range groups {
				inst.Groups = append(inst.Groups, g.ID)
			}
		}))
	}
	if r.has("BlockDeviceMapping") {
		change, err := c.readDeviceChange(r, inst)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// readDeviceChange is the one thing of a device that can change: whether its
// volume ends with the instance.
func (c *Cloud) readDeviceChange(r *request, inst *instance) (func() error, error) {
	wanted := map[string]bool{}
	for _, item := range r.each("BlockDeviceMapping") {
		device, keep := item.need("DeviceName"), item.at("Ebs").boolean("DeleteOnTermination")
		item.at("Ebs").text("VolumeId")
		if keep == nil {
			return nil, missing(item.prefix + "Ebs.DeleteOnTermination")
		}
		if !slices.ContainsFunc(inst.Volumes, func(v attachment) bool { return v.Device == device }) {
			return nil, faultf("InvalidInstanceAttributeValue", "No device is currently mapped at %s", device)
		}
		wanted[device] = *keep
	}
	return inst.change(false, "blockDeviceMapping", func() {
		for i := range inst.Volumes {
			if value, named := wanted[inst.Volumes[i].Device]; named {
				inst.Volumes[i].DeleteOnTermination = value
			}
		}
	}), nil
}

// change is a change that may need the instance to be stopped.
func (inst *instance) change(whenStopped bool, attribute string, do func()) func() error {
	return func() error {
		if whenStopped && inst.State != stopped {
			return faultf("IncorrectInstanceState", "The instance '%s' is not in the 'stopped' state: %s cannot change now.", inst.ID, attribute)
		}
		do()
		return nil
	}
}

func resetInstanceAttribute(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	name := r.oneOf("Attribute", "", "sourceDestCheck")
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	if name == "" {
		return nil, missing("Attribute")
	}
	inst.SourceDestCheck = true
	return simpleAnswer{Return: true}, nil
}

// readMetadataOptions lays what a request says of the metadata service over m.
func readMetadataOptions(r *request, m *metadataOptions) {
	set := func(name, on, off string, field *bool) {
		switch r.oneOf(name, "", on, off) {
		case on:
			*field = true
		case off:
			*field = false
		}
	}
	set("HttpTokens", "required", "optional", &m.TokensRequired)
	set("HttpEndpoint", "disabled", "enabled", &m.Disabled)
	set("InstanceMetadataTags", "enabled", "disabled", &m.Tags)
	set("HttpProtocolIpv6", "enabled", "disabled", &m.IPv6)
	if hops := r.number("HttpPutResponseHopLimit"); hops != nil {
		if *hops < 1 || *hops > 64 {
			r.problem(badValue("httpPutResponseHopLimit", r.text("HttpPutResponseHopLimit"), "Expecting 1 to 64."))
		}
		m.HopLimit = *hops
	}
}

func modifyInstanceMetadataOptions(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	if err := r.bad(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	options := inst.Metadata
	readMetadataOptions(r, &options)
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	if inst.State == terminated || inst.State == shuttingDown {
		return nil, wrongState(inst, "modified")
	}
	inst.Metadata = options
	var answer struct {
		InstanceID string       `xml:"instanceId"`
		Options    metadataItem `xml:"instanceMetadataOptions"`
	}
	answer.InstanceID, answer.Options = inst.ID, options.item("pending")
	return answer, nil
}
