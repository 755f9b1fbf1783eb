package localcloud

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// metadataTree is what the metadata service has.
type metadataTree struct {
	values map[string]string // by path: meta-data/ami-id
	lists  map[string]string // of directories that list more than names
}

// read is a value, or the list of what is in a directory.
func (t metadataTree) read(path string) (string, bool) {
	path = strings.TrimSuffix(path, "/")
	if value, found := t.values[path]; found {
		return value, true
	}
	if list, found := t.lists[path]; found {
		return list, true
	}
	below := path + "/"
	if path == "" {
		below = ""
	}
	names := map[string]bool{}
	for key := range t.values {
		rest, inside := strings.CutPrefix(key, below)
		if !inside {
			continue
		}
		name, _, deeper := strings.Cut(rest, "/")
		if deeper {
			name += "/"
		}
		names[name] = true
	}
	return strings.Join(sortedKeys(names), "\n"), len(names) > 0
}

// metadataTree is what an instance may know of itself. The caller holds c.mu.
func (c *Cloud) metadataTree(inst *instance) metadataTree {
	t := metadataTree{values: map[string]string{}, lists: map[string]string{}}
	put := func(values map[string]string) {
		for path, value := range values {
			t.values["meta-data/"+path] = value
		}
	}
	put(map[string]string{
		"ami-id":                      inst.ImageID,
		"ami-launch-index":            digits(inst.LaunchIndex)[0],
		"ami-manifest-path":           "(unknown)",
		"block-device-mapping/ami":    strings.TrimPrefix(inst.RootDevice, "/dev/"),
		"block-device-mapping/root":   inst.RootDevice,
		"hostname":                    inst.privateDNS(),
		"instance-action":             "none",
		"instance-id":                 inst.ID,
		"instance-life-cycle":         either(inst.Spot != "", "spot", "on-demand"),
		"instance-type":               inst.Type,
		"local-hostname":              inst.privateDNS(),
		"local-ipv4":                  inst.PrivateIP,
		"mac":                         inst.MAC,
		"placement/availability-zone": inst.Zone,
		"placement/region":            inst.Region,
		"profile":                     "default-hvm",
		"reservation-id":              inst.ReservationID,
		"security-groups":             strings.Join(c.groupNames(inst), "\n"),
		"services/domain":             "amazonaws.com",
		"services/partition":          "aws",
	})
	for i, v := range inst.dataVolumes() {
		put(map[string]string{"block-device-mapping/ebs" + digits(i + 1)[0]: strings.TrimPrefix(v.Device, "/dev/")})
	}
	if inst.PublicKey != "" {
		t.lists["meta-data/public-keys"] = "0=" + inst.KeyName
		put(map[string]string{"public-keys/0/openssh-key": strings.TrimSpace(inst.PublicKey) + "\n"})
	}
	if inst.Metadata.Tags {
		for key, value := range inst.Tags {
			put(map[string]string{"tags/instance/" + key: value})
		}
	}
	c.putInterface(inst, put)
	t.values["dynamic/instance-identity/document"] = inst.document()
	if len(inst.UserData) > 0 {
		t.values["user-data"] = string(inst.UserData)
	}
	return t
}

// putInterface is the one network interface of a machine.
func (c *Cloud) putInterface(inst *instance, put func(map[string]string)) {
	cidr := c.machines.Prefix().String()
	values := map[string]string{}
	for name, value := range map[string]string{
		"device-number":          "0",
		"interface-id":           inst.InterfaceID,
		"local-hostname":         inst.privateDNS(),
		"local-ipv4s":            inst.PrivateIP,
		"mac":                    inst.MAC,
		"owner-id":               accountID,
		"security-group-ids":     strings.Join(inst.Groups, "\n"),
		"security-groups":        strings.Join(c.groupNames(inst), "\n"),
		"subnet-id":              inst.SubnetID,
		"subnet-ipv4-cidr-block": cidr,
		"vpc-id":                 inst.VpcID,
		"vpc-ipv4-cidr-block":    cidr,
		"vpc-ipv4-cidr-blocks":   cidr,
	} {
		values["network/interfaces/macs/"+inst.MAC+"/"+name] = value
	}
	put(values)
	if inst.publicIP() != "" {
		at := "network/interfaces/macs/" + inst.MAC + "/"
		put(map[string]string{
			"public-ipv4": inst.publicIP(), at + "public-ipv4s": inst.publicIP(), at + "ipv4-associations/" + inst.publicIP(): inst.PrivateIP,
		})
	}
}

func (c *Cloud) groupNames(inst *instance) []string {
	var names []string
	for _, g := range c.groupItems(inst.Groups).Items {
		names = append(names, g.Name)
	}
	return names
}

// dataVolumes are the volumes but the root.
func (inst *instance) dataVolumes() []attachment {
	return slices.DeleteFunc(slices.Clone(inst.Volumes), func(v attachment) bool { return v.Device == inst.RootDevice })
}

// document is the instance identity document, without a signature: nobody but
// AWS could make one that counts.
func (inst *instance) document() string {
	text, err := json.MarshalIndent(struct {
		AccountID    string   `json:"accountId"`
		Architecture string   `json:"architecture"`
		Zone         string   `json:"availabilityZone"`
		Billing      []string `json:"billingProducts"`
		Codes        []string `json:"devpayProductCodes"`
		Marketplace  []string `json:"marketplaceProductCodes"`
		ImageID      string   `json:"imageId"`
		InstanceID   string   `json:"instanceId"`
		InstanceType string   `json:"instanceType"`
		Kernel       *string  `json:"kernelId"`
		PendingTime  string   `json:"pendingTime"`
		PrivateIP    string   `json:"privateIp"`
		Ramdisk      *string  `json:"ramdiskId"`
		Region       string   `json:"region"`
		Version      string   `json:"version"`
	}{
		AccountID: accountID, Architecture: inst.Architecture, Zone: inst.Zone, ImageID: inst.ImageID,
		InstanceID: inst.ID, InstanceType: inst.Type, PendingTime: inst.Launched.UTC().Format(time.RFC3339),
		PrivateIP: inst.PrivateIP, Region: inst.Region, Version: "2017-09-30",
	}, "", "  ")
	if err != nil {
		return "" // strings always encode
	}
	return string(text)
}
