package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// catalogue is a file for `imago local catalogue`: lists of things by what they are.
type catalogue map[string][]map[string]any

func (c catalogue) add(kind string, thing map[string]any) {
	for name, value := range thing {
		if value == "" || value == nil {
			delete(thing, name)
		}
	}
	id := cmp.Or[any](thing["id"], thing["name"])
	c[kind] = slices.DeleteFunc(c[kind], func(other map[string]any) bool {
		return cmp.Or[any](other["id"], other["name"]) == id && other["region"] == thing["region"]
	})
	c[kind] = append(c[kind], thing)
}

func (c catalogue) file() ([]byte, error) { return json.MarshalIndent(c, "", "  ") }

// made is an id of some kind that is the same for the same text.
func made(prefix, text string) string {
	sum := sha256.Sum256([]byte(text))
	return prefix + hex.EncodeToString(sum[:])[:17]
}

// wants adds what a build looks for in its account.
func (c catalogue) wants(b template.Build) {
	cfg := b.Config
	c.network(cfg)
	image := map[string]any{"user": cfg.SSH.User, "architecture": architecture(cfg.Instance.Type), "virtualization": cfg.Output.Virtualization}
	switch source := cfg.Source; {
	case source.Filter != nil:
		c.filtered(*source.Filter, image)
	case source.ID != "" && !strings.HasPrefix(source.ID, "resolve:"):
		c.named(source.ID, image)
	default:
		name := cmp.Or(source.Parameter, strings.TrimPrefix(source.ID, "resolve:ssm:"))
		image["id"], image["name"] = made("ami-", name), "of a parameter"
		c.add("images", image)
		c.add("parameters", map[string]any{"name": name, "value": image["id"], "region": cfg.Region})
	}
}

// named adds an image that is named by its id, unless a data source has found it before.
func (c catalogue) named(id string, image map[string]any) {
	for _, found := range c["images"] {
		if found["id"] == id {
			found["user"] = image["user"]
			if found["architecture"] == nil && image["architecture"] != "" {
				found["architecture"] = image["architecture"]
			}
			return
		}
	}
	image["id"], image["name"] = id, "named "+id
	c.add("images", image)
}

// network adds the VPC, subnet, groups and key pair that a build names or looks for.
func (c catalogue) network(cfg builder.Config) {
	n, region := cfg.Network, cfg.Region
	vpc := n.VPC
	if n.VPCFilter != nil {
		vpc = cmp.Or(only(n.VPCFilter["vpc-id"]), made("vpc-", region))
		c.add("vpcs", map[string]any{"id": vpc, "region": region, "tags": tags(n.VPCFilter)})
	}
	if n.VPC != "" {
		c.add("vpcs", map[string]any{"id": vpc, "region": region})
	}
	subnet := n.Subnet
	var labels any
	if n.SubnetFilter != nil {
		f := n.SubnetFilter.Filters
		subnet, labels = cmp.Or(only(f["subnet-id"]), made("subnet-", region)), tags(f)
		vpc = cmp.Or(vpc, only(f["vpc-id"]))
		n.AvailabilityZone = cmp.Or(n.AvailabilityZone, only(f["availability-zone"]))
	}
	if subnet == "" && vpc != "" {
		subnet = made("subnet-", region)
	}
	if subnet != "" {
		c.add("subnets", map[string]any{"id": subnet, "region": region, "vpc": vpc, "zone": n.AvailabilityZone, "tags": labels})
	}
	for _, id := range n.SecurityGroups {
		c.add("security_groups", map[string]any{"id": id, "region": region, "vpc": vpc})
	}
	if f := n.SecurityGroupFilter; f != nil {
		id := cmp.Or(only(f["group-id"]), made("sg-", region))
		c.add("security_groups", map[string]any{"id": id, "region": region, "vpc": vpc, "name": only(f["group-name"]), "tags": tags(f)})
	}
}

// filtered adds an image that a filter finds, and returns it.
func (c catalogue) filtered(f builder.ImageFilter, image map[string]any) map[string]any {
	text, _ := json.Marshal(f) // a filter always encodes
	image["id"] = cmp.Or(only(f.Filters["image-id"]), made("ami-", string(text)))
	image["name"] = matching(cmp.Or(only(f.Filters["name"]), "any name"))
	image["description"] = matching(only(f.Filters["description"]))
	image["root_device"] = only(f.Filters["root-device-name"])
	image["product_code"] = matching(only(f.Filters["product-code"]))
	image["tags"] = tags(f.Filters)
	if a := only(f.Filters["architecture"]); a != "" {
		image["architecture"] = a
	}
	if v := only(f.Filters["virtualization-type"]); v != "" {
		image["virtualization"] = v
	}
	switch owner := cmp.Or(only(f.Owners), only(f.Filters["owner-id"]), only(f.Filters["owner-alias"])); {
	case regexp.MustCompile(`^\d{12}$`).MatchString(owner):
		image["owner"] = owner
	case owner != "" && owner != "self":
		image["owner"], image["owner_alias"] = "000011112222", owner
	}
	c.add("images", image)
	return image
}

// only is the first of some values.
func only(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// matching is a text that a filter's pattern matches.
func matching(pattern string) string {
	return strings.NewReplacer("*", "x", "?", "x", `\`, "").Replace(pattern)
}

// tags are the tags that filters ask for.
func tags(filters map[string][]string) any {
	all := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		if key, ok := strings.CutPrefix(name, "tag:"); ok {
			all[matching(key)] = matching(only(filters[name]))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

var graviton = regexp.MustCompile(`^(a1|[a-z]+\d+g[a-z]*)\.`)

func architecture(instanceType string) string {
	if graviton.MatchString(instanceType) {
		return "arm64"
	}
	return ""
}

// folders are the directories that uploads go into, which a script would have made.
func folders(steps []builder.Step) (dirs, files []string) {
	for _, s := range steps {
		switch s := s.(type) {
		case builder.Upload:
			for _, t := range s.Trees {
				dir := path.Dir(t.Dest)
				if strings.HasSuffix(t.Dest, "/") {
					dir = path.Clean(t.Dest)
				}
				dirs = append(dirs, dir)
			}
		case builder.Download:
			for _, f := range s.Files {
				files = append(files, f.Source)
			}
		}
	}
	return dirs, files
}
