package localcloud

import "testing"

// OpenTest is a cloud that serves on fake machines, with one image.
func OpenTest(t *testing.T) (cloud *Cloud, image string) {
	c := openTest(t)
	return c.Cloud, c.base()
}
