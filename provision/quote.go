package provision

import "strings"

// Quote makes one word of s for sh, whatever bytes it holds, except NUL, which
// no command line can carry.
func Quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// command is a command line of quoted words, safe with any login shell that
// knows single quotes.
func command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
