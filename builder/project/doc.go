// Package project reads imago.hcl: which images an application has, what each is
// made of, and the environments that they are made for.
//
// It is written in the language of HCL2 templates, with their variables, locals
// and functions. As for templates, all problems come back at once, each with its
// place and what would be right there. Reading touches nothing but the file and
// what it names.
package project
