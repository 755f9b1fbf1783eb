// Package template reads Packer's templates: bytes in, builder.Config out.
//
// It reads HCL2 and the legacy JSON language for the builder amazon-ebs, the
// provisioners file, shell, shell-local, sleep and breakpoint, and the
// post-processors manifest and shell-local. Both languages become the same tree
// of options, and the readers of options do not know which it was. What is not
// known is refused, never ignored: all problems of a template come back at once,
// each with its place, as in
//
//	web.json:12:7: builder amazon-ebs has no option "instanse_type"; did you mean "instance_type"?
//
// Parse touches nothing but the template, its variable files, and the local
// files that the template names (scripts, keys, user-data, upload sources). What
// HCL2's data sources ask of the world is asked of Options.Lookup.
package template
