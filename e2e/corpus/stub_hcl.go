package main

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// hcl puts stubs into a file of an HCL2 template.
func (s stubs) hcl(path string, text []byte) ([]byte, error) {
	f, diags := hclwrite.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	for _, b := range f.Body().Blocks() {
		if b.Type() == "build" {
			s.blocks(b.Body())
		}
	}
	return f.Bytes(), nil
}

// blocks puts stubs into the provisioners and post-processors of a body.
func (s stubs) blocks(body *hclwrite.Body) {
	for _, b := range body.Blocks() {
		switch b.Type() {
		case "provisioner", "post-processor", "error-cleanup-provisioner":
			s.block(b.Body(), len(b.Labels()) > 0 && b.Labels()[0] == "shell-local")
		case "post-processors":
			s.blocks(b.Body())
		case "dynamic":
			for _, content := range b.Body().Blocks() {
				s.block(content.Body(), false)
			}
		}
	}
}

func (s stubs) block(body *hclwrite.Body, local bool) {
	line := cty.StringVal(s.line)
	if local {
		line = cty.StringVal(s.local)
	}
	for name, value := range map[string]cty.Value{
		"pause_before": cty.StringVal("1s"), "inline": cty.ListVal([]cty.Value{line}), "command": line,
	} {
		if body.GetAttribute(name) != nil {
			body.SetAttributeValue(name, value)
		}
	}
}
