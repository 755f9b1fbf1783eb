package template

import "fmt"

// TooMuch says what in a text of HCL would take too much memory to read, or nothing.
func TooMuch(text []byte) string {
	if len(text) > maxFile {
		return fmt.Sprintf("has %d bytes, and may have %d", len(text), maxFile)
	}
	return tooMuch(text)
}
