package retention

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Use says that something needs an image.
type Use struct {
	Image string // its id

	// By is who needs it, such as "instance i-1 (stopped)".
	By string

	// Release is which one the image is, such as "the current release in staging"; empty
	// for a use that makes it none.
	Release string
}

// why says why an image stays.
func (u Use) why() string {
	if u.Release != "" {
		return u.Release + ", by " + u.By
	}
	return "in use by " + u.By
}

// Uses are all uses of images: first as releases, then the others, each with
// what launches instances before the instances.
func (inv Inventory) Uses() []Use {
	return slices.Concat(inv.releases(), inv.groupUses(), inv.templateUses(), inv.configurationUses(), inv.instanceUses())
}

func (inv Inventory) instanceUses() (all []Use) {
	for _, i := range inv.Instances {
		if i.State != "terminated" {
			all = append(all, Use{Image: i.Image, By: fmt.Sprintf("instance %s (%s)", i.ID, i.State)})
		}
	}
	return all
}

func (inv Inventory) configurationUses() (all []Use) {
	for _, c := range inv.Configurations {
		all = append(all, Use{Image: c.Image, By: "launch configuration " + c.Name})
	}
	return all
}

// templateUses counts every version of a template: each can be launched, or become the default again.
func (inv Inventory) templateUses() (all []Use) {
	for _, t := range inv.Templates {
		numbers := map[string][]string{} // by image
		var images []string
		for _, v := range t.Versions {
			if numbers[v.Image] == nil {
				images = append(images, v.Image)
			}
			numbers[v.Image] = append(numbers[v.Image], fmt.Sprint(v.Number))
		}
		for _, image := range images {
			word := "version"
			if len(numbers[image]) > 1 {
				word = "versions"
			}
			all = append(all, Use{Image: image, By: fmt.Sprintf("launch template %s %s %s", t.Name, word, strings.Join(numbers[image], ", "))})
		}
	}
	return all
}

func (inv Inventory) groupUses() (all []Use) {
	for _, g := range inv.Groups {
		for _, image := range inv.launches(g) {
			all = append(all, Use{Image: image, By: "auto scaling group " + g.Name})
		}
	}
	return all
}

// launches are the images that a group's new instances are made of.
func (inv Inventory) launches(g AutoScalingGroup) []string {
	all := slices.Clone(g.Images)
	for _, c := range inv.Configurations {
		if c.Name == g.Configuration {
			all = append(all, c.Image)
		}
	}
	for _, u := range g.Templates {
		if t, ok := inv.template(u); ok {
			for _, v := range t.Versions {
				if v.Number == t.number(u.Version) {
					all = append(all, v.Image)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// template is the one that a group means.
func (inv Inventory) template(u TemplateUse) (Template, bool) {
	i := slices.IndexFunc(inv.Templates, func(t Template) bool { return t.ID == u.ID || u.ID == "" && t.Name == u.Name })
	if i < 0 {
		return Template{}, false
	}
	return inv.Templates[i], true
}

// number is the version that a word means; 0 when there is none.
func (t Template) number(version string) (n int64) {
	switch cmp.Or(version, "$Default") {
	case "$Default":
		return t.Default
	case "$Latest":
		return t.Latest
	}
	fmt.Sscan(version, &n)
	return n
}
