package template

import "slices"

// Supported says whether a type of builder, provisioner or post-processor that Packer's users know is one of those that can
// be built here.
func Supported(component string) bool {
	return !slices.Contains(slices.Concat(otherBuilders(), otherProvisioners(), otherPostProcessors()), component)
}
