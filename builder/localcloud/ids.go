package localcloud

import (
	"strings"
	"time"
)

// wellFormed says whether id is the prefix ("ami-") and 8 or 17 hexadecimal
// digits.
func wellFormed(prefix, id string) bool {
	digits, found := strings.CutPrefix(id, prefix)
	if !found || (len(digits) != 8 && len(digits) != 17) {
		return false
	}
	return strings.Trim(digits, "0123456789abcdef") == ""
}

func malformed(code, prefix, id string) *fault {
	return faultf(code, "Invalid id: %q (expecting \"%s...\")", id, prefix)
}

// stamp is a time as EC2 writes it; nothing for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func arn(service, region, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + accountID + ":" + resource
}
