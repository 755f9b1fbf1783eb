package localcloud

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// AddCatalogue makes the cloud answer for what is in a catalogue. It builds the
// bases first unless they are in the cache. To add an entry again replaces it.
func (c *Cloud) AddCatalogue(ctx context.Context, all Catalogue) error {
	return c.addCatalogue(ctx, all, c.options.Progress)
}

func (c *Cloud) addCatalogue(ctx context.Context, all Catalogue, progress func(string)) error {
	c.baseMu.Lock()
	defer c.baseMu.Unlock()
	layers, err := c.catalogueLayers(ctx, all.Images, progress)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range all.Images {
		if err := c.addCatalogueImage(i, layers); err != nil {
			return err
		}
	}
	for _, v := range all.Vpcs {
		c.addCatalogueVpc(regionOr(v.Region), v.ID, v.Tags)
	}
	for _, s := range all.Subnets {
		c.addSubnet(s)
	}
	for _, g := range all.SecurityGroups {
		c.addGroup(g)
	}
	for _, k := range all.KeyPairs {
		if err := c.addKey(k); err != nil {
			return err
		}
	}
	for _, p := range all.Parameters {
		c.state.Parameters[regionOr(p.Region)+"/"+p.Name] = p.Value
	}
	return c.save()
}

// catalogueLayers makes the layers that images of a catalogue consist of: bases,
// by their suites, and what makes another user of them, by its name.
func (c *Cloud) catalogueLayers(ctx context.Context, images []CatalogueImage, progress func(string)) (map[string]string, error) {
	layers := map[string]string{}
	for _, i := range images {
		suite, err := suiteOf(i.suite())
		if err != nil {
			return nil, err
		}
		if layers[suite] == "" {
			dir, err := c.buildBase(ctx, machine.BaseConfig{Suite: suite, Dir: c.options.CacheDir, Progress: progress})
			if err != nil {
				return nil, err
			}
			layer, err := filepath.Rel(c.options.CacheDir, dir)
			if err != nil {
				return nil, err
			}
			layers[suite] = basePrefix + layer
		}
		if i.User != "" && layers[i.User] == "" {
			layers[i.User] = "user-" + i.User
			if err := writeUserLayer(c.layerPath(layers[i.User]), i.User); err != nil {
				return nil, err
			}
		}
	}
	return layers, nil
}

// writeUserLayer makes a layer that tells cloud-init whom to give the key to, as
// images of other distributions have it.
func writeUserLayer(dir, user string) error {
	text := "# The local cloud's: the user that this image's cloud-init makes.\ndisable_root: false\nsystem_info:\n  default_user:\n    name: " + user + "\n"
	if user != "root" {
		text += "    lock_passwd: true\n    gecos: " + user + "\n    groups: [adm, sudo]\n    sudo: [\"ALL=(ALL) NOPASSWD:ALL\"]\n    shell: /bin/bash\n"
	}
	folder := filepath.Join(dir, "etc/cloud/cloud.cfg.d")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the layer of the user %s: %w", user, err)
	}
	return writeFile(filepath.Join(folder, "99-imago-user.cfg"), []byte(text), 0o644)
}

func (c *Cloud) addCatalogueImage(i CatalogueImage, layers map[string]string) error {
	old := c.state.Images[i.ID]
	if old != nil && old.Suite == "" {
		return faultf("InvalidAMIID.Duplicate", "The image %s is there already and was made here (%s); "+
			"remove it first, with: imago local image rm %s", i.ID, old.Name, i.ID)
	}
	created, err := i.created(c.now())
	if err != nil {
		return err
	}
	suite, err := suiteOf(i.suite())
	if err != nil {
		return err
	}
	stack := []string{layers[suite]}
	if i.User != "" {
		stack = []string{layers[i.User], layers[suite]}
	}
	device := cmp.Or(i.RootDevice, "/dev/xvda")
	img := &image{
		ID: i.ID, Name: i.Name, Region: i.Region, Description: i.Description, State: available, Layers: stack,
		RootDevice: device, Architecture: i.Architecture, Virtualization: i.Virtualization, ENA: true,
		Mappings: []mapping{{Device: device, Disk: &disk{
			Snapshot: c.baseSnapshot(suite, stack).ID, Size: baseDisk, Type: "gp2", DeleteOnTermination: true,
		}}},
		Created: created, Tags: filled(i.Tags), Public: i.Owner != "", Suite: suite,
		Catalogued: true, Owner: i.Owner, OwnerAlias: i.OwnerAlias, Location: cmp.Or(i.OwnerAlias, i.Owner, accountID) + "/" + i.Name,
	}
	if i.ProductCode != "" {
		img.ProductCodes = []string{i.ProductCode}
	}
	c.state.Images[i.ID] = img
	return nil
}

// catalogueBlock is the range of the VPCs of a catalogue. Their machines have
// addresses of the machines' network like all others.
const catalogueBlock = "10.200.0.0/16"

func (c *Cloud) addCatalogueVpc(region, id string, tags map[string]string) {
	if there, _ := c.findVpc(region, id); there != nil {
		there.Tags = filled(tags)
		return
	}
	c.addVpc(&vpc{part: part{ID: id, Kind: "vpc", Region: region, Tags: filled(tags)}, Block: catalogueBlock, DHCP: c.networkOf(region).DHCP})
}

// addSubnet adds a subnet, and the VPC that it names if that is not there.
func (c *Cloud) addSubnet(s CatalogueSubnet) {
	region := regionOr(s.Region)
	in := cmp.Or(s.Vpc, c.networkOf(region).ID)
	if there, _ := c.findVpc(region, in); there == nil {
		c.addCatalogueVpc(region, in, nil)
	}
	block := fmt.Sprintf("10.200.%d.0/24", len(c.state.Subnets)%256)
	if old := c.state.Subnets[s.ID]; old != nil {
		block = old.Block
	}
	c.state.Subnets[s.ID] = &subnet{
		part:  part{ID: s.ID, Kind: "subnet", Region: region, Tags: filled(s.Tags)},
		VpcID: in, Zone: cmp.Or(s.Zone, zonesOf(region)[0]), Block: block, PublicIP: true,
	}
}

func (c *Cloud) addGroup(g CatalogueGroup) {
	region := regionOr(g.Region)
	in := cmp.Or(g.Vpc, c.networkOf(region).ID)
	if there, _ := c.findVpc(region, in); there == nil {
		c.addCatalogueVpc(region, in, nil)
	}
	made := &group{
		ID: g.ID, Region: region, VpcID: in, Name: cmp.Or(g.Name, g.ID), Description: cmp.Or(g.Description, "from a catalogue"), Tags: filled(g.Tags),
	}
	made.add([]rule{everywhere()})
	c.state.Groups[g.ID] = made
}

func (c *Cloud) addKey(k CatalogueKey) error {
	region := regionOr(k.Region)
	pair := &keyPair{ID: newID("key-"), Region: region, Name: k.Name, Created: c.now(), Tags: map[string]string{}}
	key, err := parsePublic([]byte(k.PublicKey))
	if err != nil {
		return err
	}
	if pair.Type, pair.Fingerprint, err = importedFingerprint(key); err != nil {
		return err
	}
	pair.PublicKey = publicLine(key, k.Name)
	c.state.KeyPairs[region+"/"+k.Name] = pair
	return nil
}
