package main

import (
	"encoding/json"
	"io"
)

// writeJSON writes v as one indented object and a line end, with <, > and & as they are.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
