//go:build !unix

package provision

const openNonblock = 0
