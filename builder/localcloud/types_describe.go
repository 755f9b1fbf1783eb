package localcloud

import (
	"slices"
	"strings"
	"time"
)

type instanceTypeItem struct {
	Name           string        `xml:"instanceType"`
	Current        bool          `xml:"currentGeneration"`
	Free           bool          `xml:"freeTierEligible"`
	Usage          []string      `xml:"supportedUsageClasses>item"`
	RootDevices    []string      `xml:"supportedRootDeviceTypes>item"`
	Virtualization []string      `xml:"supportedVirtualizationTypes>item"`
	BareMetal      bool          `xml:"bareMetal"`
	Hypervisor     string        `xml:"hypervisor,omitempty"`
	Processor      processorItem `xml:"processorInfo"`
	VCPU           vCPUItem      `xml:"vCpuInfo"`
	Memory         memoryItem    `xml:"memoryInfo"`
	Storage        bool          `xml:"instanceStorageSupported"`
	EBS            ebsItem       `xml:"ebsInfo"`
	Network        networkItem   `xml:"networkInfo"`
	Hibernation    bool          `xml:"hibernationSupported"`
	Burstable      bool          `xml:"burstablePerformanceSupported"`
	Dedicated      bool          `xml:"dedicatedHostsSupported"`
	Recovery       bool          `xml:"autoRecoverySupported"`
	BootModes      []string      `xml:"supportedBootModes>item"`
}

type processorItem struct {
	Architectures []string `xml:"supportedArchitectures>item"`
	Clock         float64  `xml:"sustainedClockSpeedInGhz,omitempty"`
	Manufacturer  string   `xml:"manufacturer"`
}

type vCPUItem struct {
	VCPUs   int `xml:"defaultVCpus"`
	Cores   int `xml:"defaultCores"`
	Threads int `xml:"defaultThreadsPerCore"`
}

type memoryItem struct {
	Size int `xml:"sizeInMiB"`
}

type ebsItem struct {
	Optimized  string `xml:"ebsOptimizedSupport"`
	Encryption string `xml:"encryptionSupport"`
	NVMe       string `xml:"nvmeSupport"`
}

type networkItem struct {
	Interfaces int    `xml:"maximumNetworkInterfaces"`
	ENA        string `xml:"enaSupport"`
	IPv6       bool   `xml:"ipv6Supported"`
}

func (t instanceType) item() instanceTypeItem {
	item := instanceTypeItem{
		Name:           t.name,
		Current:        !t.family.old,
		Free:           t.free(),
		Usage:          []string{"on-demand", "spot"},
		RootDevices:    []string{"ebs"},
		Virtualization: t.virtualizations(),
		Hypervisor:     t.hypervisor(),
		Processor:      processorItem{t.architectures(), t.family.clock, t.family.maker},
		VCPU:           vCPUItem{t.vCPUs, max(t.vCPUs/t.family.cpus, 1), min(t.family.cpus, t.vCPUs)},
		Memory:         memoryItem{t.memory},
		EBS:            ebsItem{"default", "supported", "required"},
		Network:        networkItem{Interfaces: 1, ENA: t.enaSupport()},
		Burstable:      t.family.burstable,
		BootModes:      []string{"legacy-bios", "uefi"},
	}
	switch {
	case t.family.xen:
		item.EBS.Optimized, item.EBS.NVMe, item.BootModes = "unsupported", "unsupported", []string{"legacy-bios"}
	case t.family.arch == "arm64":
		item.BootModes = []string{"uefi"}
	}
	return item
}

func describeInstanceTypes(_ *Cloud, r *request) (any, error) {
	r.boolean("IncludeUnsupportedInRegion") // all types are in all regions
	all, err := typesAsked(r.list("InstanceType"))
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, untagged[instanceType], typeAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Types     []instanceTypeItem `xml:"instanceTypeSet>item"`
		NextToken string             `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, t := range page {
		answer.Types = append(answer.Types, t.item())
	}
	return answer, nil
}

// typesAsked is the types of those names, or all types. A name may be a
// pattern, but one without a star must exist.
func typesAsked(names []string) ([]instanceType, error) {
	all := instanceTypes()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !strings.ContainsAny(name, "*?") && !knownInstanceType(name) {
			return nil, faultf("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
		}
	}
	return slices.DeleteFunc(all, func(t instanceType) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return wildcard(name, t.name) })
	}), nil
}

func typeAttributes() attributes[instanceType] {
	return attributes[instanceType]{
		"bare-metal":                            fixed[instanceType]("false"),
		"burstable-performance-supported":       func(t instanceType) []string { return yesNo(t.family.burstable) },
		"current-generation":                    func(t instanceType) []string { return yesNo(!t.family.old) },
		"free-tier-eligible":                    func(t instanceType) []string { return yesNo(t.free()) },
		"hypervisor":                            func(t instanceType) []string { return one(t.hypervisor()) },
		"instance-storage-supported":            fixed[instanceType]("false"),
		"instance-type":                         func(t instanceType) []string { return one(t.name) },
		"memory-info.size-in-mib":               func(t instanceType) []string { return digits(t.memory) },
		"network-info.ena-support":              func(t instanceType) []string { return one(t.enaSupport()) },
		"processor-info.supported-architecture": func(t instanceType) []string { return t.architectures() },
		"supported-boot-mode":                   func(t instanceType) []string { return t.item().BootModes },
		"supported-root-device-type":            fixed[instanceType]("ebs"),
		"supported-usage-class":                 func(instanceType) []string { return []string{"on-demand", "spot"} },
		"supported-virtualization-type":         func(t instanceType) []string { return t.virtualizations() },
		"vcpu-info.default-vcpus":               func(t instanceType) []string { return digits(t.vCPUs) },
	}
}

type offering struct {
	Type         string `xml:"instanceType"`
	LocationType string `xml:"locationType"`
	Location     string `xml:"location"`
}

func describeInstanceTypeOfferings(_ *Cloud, r *request) (any, error) {
	kind := r.oneOf("LocationType", "region", "region", "availability-zone", "availability-zone-id")
	places := []string{r.region}
	if kind != "region" {
		places = zonesOf(r.region)
	}
	var all []offering
	for _, t := range instanceTypes() {
		for _, place := range places {
			if kind == "availability-zone-id" {
				place = zoneID(place)
			}
			all = append(all, offering{t.name, kind, place})
		}
	}
	page, next, err := describe(r, all, untagged[offering], attributes[offering]{
		"instance-type": func(o offering) []string { return one(o.Type) },
		"location":      func(o offering) []string { return one(o.Location) },
	})
	return struct {
		Offerings []offering `xml:"instanceTypeOfferingSet>item"`
		NextToken string     `xml:"nextToken,omitempty"`
	}{page, next}, err
}

// spotPrice is what every spot instance costs here, so that a plan that looks
// for the cheapest type has something to look at.
type spotPrice struct {
	Type    string `xml:"instanceType"`
	Product string `xml:"productDescription"`
	Price   string `xml:"spotPrice"`
	Time    string `xml:"timestamp"`
	Zone    string `xml:"availabilityZone"`
}

// describeSpotPriceHistory answers with one price for each type and zone, which
// has not changed since the local cloud started.
func describeSpotPriceHistory(c *Cloud, r *request) (any, error) {
	named, products, zone := r.list("InstanceType"), r.list("ProductDescription"), r.text("AvailabilityZone")
	for _, name := range []string{"StartTime", "EndTime"} {
		if text := r.text(name); text != "" {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				r.problem(badValue(name, text, "Expecting a time such as 2026-01-31T00:00:00Z."))
			}
		}
	}
	kinds, err := typesAsked(named)
	if err != nil {
		return nil, err
	}
	var all []spotPrice
	for _, t := range kinds {
		for _, place := range zonesOf(r.region) {
			all = append(all, spotPrice{t.name, "Linux/UNIX", "0.010000", stamp(c.started), place})
		}
	}
	all = slices.DeleteFunc(all, func(p spotPrice) bool {
		known := slices.Contains(products, "Linux/UNIX") || slices.Contains(products, "Linux/UNIX (Amazon VPC)")
		return len(products) > 0 && !known || zone != "" && p.Zone != zone
	})
	page, next, err := describe(r, all, untagged[spotPrice], attributes[spotPrice]{
		"availability-zone":   func(p spotPrice) []string { return one(p.Zone) },
		"instance-type":       func(p spotPrice) []string { return one(p.Type) },
		"product-description": func(p spotPrice) []string { return []string{p.Product, p.Product + " (Amazon VPC)"} },
		"spot-price":          func(p spotPrice) []string { return one(p.Price) },
		"timestamp":           func(p spotPrice) []string { return one(p.Time) },
	})
	return struct {
		Prices    []spotPrice `xml:"spotPriceHistorySet>item"`
		NextToken string      `xml:"nextToken,omitempty"`
	}{page, next}, err
}
