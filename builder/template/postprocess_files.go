package template

import "slices"

// Checksum is the checksum post-processor: files that hold the sums of other files.
type Checksum struct {
	// Types are the algorithms: md5, sha1, sha224, sha256, sha384, sha512.
	Types []string

	// output is the path of a file, in which {{.ChecksumType}} stands for the algorithm.
	output string
	names  map[string]string
}

// Output is the path of the file with the sums of one type.
func (c Checksum) Output(kind string) (string, error) {
	fields := map[string]string{"ChecksumType": kind}
	for name, text := range c.names {
		fields[name] = text
	}
	return complete(c.output, fields)
}

// checksumTypes are the algorithms that checksum knows.
func checksumTypes() []string { return []string{"md5", "sha1", "sha224", "sha256", "sha384", "sha512"} }

func readChecksum(o *object) *Checksum {
	c := &Checksum{names: map[string]string{"BuildName": o.p.build.ScriptName, "BuilderType": o.p.build.Type}}
	for _, i := range o.items("checksum_types", place{}) {
		if !slices.Contains(checksumTypes(), i.text) && i.kind != kindUnknown {
			o.wrong(i.value, "checksum_types", "holds %q, which is no type of checksum%s", i.text, didYouMean(i.text, checksumTypes()))
		}
		c.Types = append(c.Types, i.text)
	}
	if len(c.Types) == 0 {
		c.Types = []string{"md5"}
	}
	c.output = o.textIn("output", place{fields: []string{"BuildName", "BuilderType", "ChecksumType"}})
	if c.output == "" {
		c.output = "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum"
	}
	return c
}

// readArtifice reads artifice: patterns of files.
func readArtifice(o *object) []string {
	files := o.list("files")
	o.need("files", len(files) > 0)
	return files
}
