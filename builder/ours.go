package builder

import "strings"

// BuildOf is the build that something's tags say it is of, in TagBuild; ok only
// when that is exactly as a build writes it.
func BuildOf(tags map[string]string) (id string, ok bool) {
	id = tags[TagBuild]
	return id, len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}
