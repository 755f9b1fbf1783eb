package main

import (
	"fmt"
	"strings"

	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/builder/template"
)

// hclInspection describes an HCL2 template in Packer's layout.
func hclInspection(t *template.Template) string {
	var b strings.Builder
	b.WriteString("Packer Inspect: HCL2 mode\n\n> input-variables:\n\n")
	for _, v := range t.Variables {
		fmt.Fprintf(&b, "var.%s: %s\n", v.Name, shownValue(v))
	}
	b.WriteString("\n> local-variables:\n\n")
	for _, l := range t.Outline.Locals {
		fmt.Fprintf(&b, "local.%s: %s\n", l.Name, shownValue(l))
	}
	b.WriteString("\n> builds:\n\n")
	for i, build := range t.Outline.Builds {
		inspectBuild(&b, i, build)
	}
	return b.String()
}

func inspectBuild(b *strings.Builder, i int, build template.OutlineBuild) {
	name := build.Name
	if name == "" {
		name = fmt.Sprintf("<unnamed build %d>", i)
	}
	fmt.Fprintf(b, "  > %s:\n\n", name)
	if build.Description != "" {
		fmt.Fprintf(b, "  > Description: %s\n\n", build.Description)
	}
	b.WriteString("    sources:\n\n")
	for _, s := range build.Sources {
		fmt.Fprintf(b, "      %s\n\n", s)
	}
	b.WriteString("    provisioners:\n\n")
	for _, p := range orNone(build.Provisioners) {
		fmt.Fprintf(b, "      %s\n", p)
	}
	b.WriteString("\n    post-processors:\n\n")
	if len(build.PostProcessors) == 0 {
		b.WriteString("      <no post-processor>\n\n")
	}
	for i, sequence := range build.PostProcessors {
		fmt.Fprintf(b, "      %d:\n", i)
		for _, p := range sequence {
			fmt.Fprintf(b, "        %s\n", p)
		}
		b.WriteString("\n")
	}
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{"<no provisioner>"}
	}
	return list
}

// shownValue is a value in quotes, unless it is sensitive.
func shownValue(v template.Variable) string {
	if v.Sensitive {
		return fmt.Sprintf("%q", redact.Hidden)
	}
	return fmt.Sprintf("%q", v.Value)
}
