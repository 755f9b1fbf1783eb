package localcloud

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

const (
	maxUserData     = 16 << 10
	maxPerCall      = 100
	defaultType     = "m1.small"
	defaultHopLimit = 1
)

func instanceActions() map[string]handler {
	return map[string]handler{
		"RunInstances":                  runInstances,
		"StartInstances":                startInstances,
		"StopInstances":                 stopInstances,
		"RebootInstances":               rebootInstances,
		"TerminateInstances":            terminateInstances,
		"DescribeInstances":             describeInstances,
		"DescribeInstanceStatus":        describeInstanceStatus,
		"DescribeInstanceAttribute":     describeInstanceAttribute,
		"ModifyInstanceAttribute":       modifyInstanceAttribute,
		"ResetInstanceAttribute":        resetInstanceAttribute,
		"ModifyInstanceMetadataOptions": modifyInstanceMetadataOptions,
		"GetConsoleOutput":              getConsoleOutput,
		"GetPasswordData":               getPasswordData,
		"MonitorInstances":              monitorInstances,
		"UnmonitorInstances":            unmonitorInstances,
		"DescribeSpotInstanceRequests":  describeSpotRequests,
		"CancelSpotInstanceRequests":    cancelSpotRequests,
	}
}

// launchPlan is a RunInstances with every question answered.
type launchPlan struct {
	template   instance // what all of them have in common
	min, max   int
	address    string // asked for, "" for any
	mappings   []mapping
	volumeTags map[string]string
	spotTags   map[string]string
	spot       bool
}

// runInstances launches: pending at once, running when the machine runs.
func runInstances(c *Cloud, r *request) (any, error) {
	plan, err := c.planLaunch(r)
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	made, err := c.launch(plan)
	if err != nil {
		return nil, err
	}
	return c.reservationOf(made), nil
}

// launch makes the instances of a plan: as many as there are addresses for,
// between its min and max.
func (c *Cloud) launch(plan launchPlan) ([]*instance, error) {
	var made []*instance
	reservation := newID("r-")
	for i := range plan.max {
		addr, err := c.addressFor(&plan.template, plan.address)
		if err != nil {
			if len(made) >= plan.min {
				break
			}
			for _, inst := range made {
				delete(c.state.Instances, inst.ID)
			}
			return nil, err
		}
		inst := plan.template.clone()
		inst.ID, inst.ReservationID, inst.LaunchIndex = newID("i-"), reservation, i
		inst.InterfaceID = newID("eni-")
		inst.setAddress(addr)
		inst.Launched = c.now()
		if plan.spot {
			inst.Spot, inst.SpotTags = newID("sir-"), plan.spotTags
		}
		c.state.Instances[inst.ID] = inst
		made = append(made, inst)
	}
	for _, inst := range made {
		c.attachNewVolumes(inst, plan.mappings, plan.volumeTags)
		c.transition(inst, pending, "pending", "pending")
	}
	return made, nil
}

// addressFor is the address that was asked for, or a free one, of the
// instance's subnet.
func (c *Cloud) addressFor(inst *instance, asked string) (netip.Addr, error) {
	subnet := c.rangeOf(inst)
	if asked == "" {
		return c.freeAddress(subnet)
	}
	if place := c.state.Subnets[inst.SubnetID]; !c.machines.Prefix().Overlaps(c.subnetRange(place)) {
		return netip.Addr{}, faultf("UnsupportedOperation", "The machines of the local cloud have addresses of %s; one of subnet %s cannot be asked for.",
			subnet, place.ID)
	}
	addr, err := netip.ParseAddr(asked)
	if err != nil || !subnet.Contains(addr) {
		return netip.Addr{}, faultf("InvalidParameterValue",
			"Address %s does not fall within the subnet's address range %s", asked, subnet)
	}
	inUse := addr == c.machines.Gateway()
	for _, inst := range c.state.Instances {
		inUse = inUse || inst.PrivateIP == addr.String()
	}
	if inUse {
		return netip.Addr{}, faultf("InvalidIPAddress.InUse", "Address %s is in use.", asked)
	}
	return addr, nil
}

func (inst *instance) clone() *instance {
	made := *inst
	made.Tags = map[string]string{}
	for key, value := range inst.Tags {
		made.Tags[key] = value
	}
	made.Groups, made.Layers = slices.Clone(inst.Groups), slices.Clone(inst.Layers)
	return &made
}

func (inst *instance) setAddress(addr netip.Addr) {
	inst.PrivateIP = addr.String()
	inst.MAC = machine.HardwareAddr(addr).String()
}

// planLaunch reads and checks a RunInstances.
func (c *Cloud) planLaunch(r *request) (launchPlan, error) {
	r, version, err := c.withTemplate(r)
	if err != nil {
		return launchPlan{}, err
	}
	plan := launchPlan{volumeTags: r.tags("volume"), spotTags: r.tags("spot-instances-request")}
	r.tags("network-interface") // interfaces are not resources of their own here
	inst := &plan.template
	inst.Region = r.region
	inst.Tags = withDefaults(version.templateTags(), r.tags("instance"))
	inst.ClientToken = r.text("ClientToken")
	if err := c.planImage(r, &plan); err != nil {
		return plan, err
	}
	if err := readCounts(r, &plan); err != nil {
		return plan, err
	}
	inst.Type = r.text("InstanceType")
	if inst.Type == "" {
		inst.Type = defaultType
	}
	if !knownInstanceType(inst.Type) {
		return plan, faultf("InvalidParameterValue", "Invalid value '%s' for InstanceType.", inst.Type)
	}
	if err := c.planKey(r, inst); err != nil {
		return plan, err
	}
	if err := c.planNetwork(r, &plan); err != nil {
		return plan, err
	}
	readBehaviour(r, inst)
	readMarket(r, &plan)
	inst.Metadata.HopLimit = defaultHopLimit
	readMetadataOptions(r.at("MetadataOptions"), &inst.Metadata)
	return plan, readUserData(r, inst)
}

// planImage takes from the image what an instance inherits.
func (c *Cloud) planImage(r *request, plan *launchPlan) error {
	id := r.text("ImageId")
	if id == "" {
		return missing("ImageId")
	}
	img, err := c.findImage(r.region, id)
	if err != nil {
		return err
	}
	if img.State != available {
		return faultf("InvalidAMIID.Unavailable", "The image ID '%s' is not available: it is %s", id, img.State)
	}
	inst := &plan.template
	inst.ImageID = id
	inst.Layers = img.Layers
	inst.RootDevice = img.RootDevice
	inst.Architecture = img.architecture()
	inst.ENA = img.ENA
	inst.Metadata.TokensRequired = img.IMDSSupport == "v2.0"
	plan.mappings, err = c.mergeMappings(r.region, img.Mappings, r.blockDevices())
	return err
}

func readCounts(r *request, plan *launchPlan) error {
	least, most := r.number("MinCount"), r.number("MaxCount")
	if err := r.bad(); err != nil {
		return err
	}
	switch {
	case least == nil:
		return missing("MinCount")
	case most == nil:
		return missing("MaxCount")
	case *least < 1:
		return badValue("minCount", strconv.Itoa(*least), "Expecting a value of 1 or more.")
	case *most < *least:
		return faultf("InvalidParameterCombination", "The maximum count %d is less than the minimum count %d", *most, *least)
	case *most > maxPerCall:
		return faultf("InstanceLimitExceeded", "The local cloud launches at most %d instances in a call", maxPerCall)
	}
	plan.min, plan.max = *least, *most
	return nil
}

func (c *Cloud) planKey(r *request, inst *instance) error {
	inst.KeyName = r.text("KeyName")
	if inst.KeyName == "" {
		return nil
	}
	pair, err := c.findKeyPair(r.region, inst.KeyName)
	if err != nil {
		return err
	}
	inst.PublicKey = pair.PublicKey
	return nil
}

// readBehaviour reads what decides how the instance acts, not what it is.
func readBehaviour(r *request, inst *instance) {
	inst.OnShutdown = r.oneOf("InstanceInitiatedShutdownBehavior", "stop", "stop", "terminate")
	inst.EbsOptimized = isTrue(r.boolean("EbsOptimized"))
	inst.KeepFromAPI = isTrue(r.boolean("DisableApiTermination"))
	inst.KeepFromAPIStop = isTrue(r.boolean("DisableApiStop"))
	inst.Monitored = isTrue(r.at("Monitoring").boolean("Enabled"))
	inst.SourceDestCheck = true
	inst.Tenancy = r.at("Placement").oneOf("Tenancy", "default", "default", "dedicated")
	inst.CreditUnlimited = r.at("CreditSpecification").oneOf("CpuCredits", "standard", "standard", "unlimited") == "unlimited"
	profile := r.at("IamInstanceProfile")
	inst.Profile = profile.text("Arn")
	if name := profile.text("Name"); name != "" {
		if inst.Profile != "" {
			r.problem(faultf("InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'"))
		}
		inst.Profile = "arn:aws:iam::" + accountID + ":instance-profile/" + name
	}
	for _, wish := range []struct{ at, name string }{{"HibernationOptions", "Configured"}, {"EnclaveOptions", "Enabled"}} {
		if isTrue(r.at(wish.at).boolean(wish.name)) {
			r.problem(faultf("UnsupportedOperation", "The local cloud has no %s.", wish.at))
		}
	}
	r.at("CapacityReservationSpecification").oneOf("CapacityReservationPreference", "open", "open", "none")
}

// readMarket reads InstanceMarketOptions. A spot instance is an instance here,
// with a request to show; it is never interrupted.
func readMarket(r *request, plan *launchPlan) {
	options := r.at("InstanceMarketOptions")
	plan.spot = options.oneOf("MarketType", "", "spot") == "spot"
	spot := options.at("SpotOptions")
	plan.template.SpotPrice = spot.text("MaxPrice")
	plan.template.SpotType = spot.oneOf("SpotInstanceType", "one-time", "one-time", "persistent")
	spot.oneOf("InstanceInterruptionBehavior", "terminate", "terminate", "stop", "hibernate")
	spot.number("BlockDurationMinutes")
	spot.text("ValidUntil")
	if !plan.spot && r.has("InstanceMarketOptions.SpotOptions") {
		r.problem(faultf("InvalidParameterCombination", "SpotOptions need MarketType spot."))
	}
}

func readUserData(r *request, inst *instance) error {
	text := r.text("UserData")
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return faultf("InvalidParameterValue", "Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return faultf("InvalidParameterValue", "User data is limited to %d bytes", maxUserData)
	}
	inst.UserData = data
	return nil
}

// configOf is the machine of an instance. The caller holds c.mu.
func (c *Cloud) configOf(inst *instance) (machine.Config, error) {
	addr, err := netip.ParseAddr(inst.PrivateIP)
	if err != nil {
		return machine.Config{}, err
	}
	config := machine.Config{ID: inst.ID, Addr: addr, Hostname: inst.hostname(), DiskBytes: c.options.DiskBytes}
	if least := inst.Trouble.DiskBytes; least > 0 && (config.DiskBytes <= 0 || least < config.DiskBytes) {
		config.DiskBytes = least
	}
	for _, layer := range inst.Layers {
		config.Layers = append(config.Layers, c.layerPath(layer))
	}
	return config, nil
}
