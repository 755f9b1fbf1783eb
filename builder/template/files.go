package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// read reads a file that the template names; the error ends a sentence about it.
func (p *parser) read(path string) ([]byte, error) {
	data, err := os.ReadFile(p.local(p.home(path)))
	if err != nil {
		return nil, errors.New(reason(err) + p.counted(path))
	}
	return data, nil
}

// counted explains where a relative path starts, for messages about a file that is not there.
func (p *parser) counted(path string) string {
	if filepath.IsAbs(path) {
		return ""
	}
	return fmt.Sprintf(" in %s", p.cwd)
}
