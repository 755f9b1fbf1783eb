package template

import "github.com/imagobuild/imago/builder"

// Lookup answers what an HCL2 template wants to know of the world: its data sources, and the functions that ask a
// server. It is asked once for each, and only for what the selected builds need.
type Lookup interface {
	// Image finds one image (data "amazon-ami").
	Image(Access, builder.ImageFilter) (builder.SourceImage, error)

	// Parameter reads an SSM parameter (data "amazon-parameterstore").
	Parameter(a Access, name string, decrypt bool) (Parameter, error)

	// Secret reads a secret (data "amazon-secretsmanager", aws_secretsmanager).
	Secret(Access, SecretQuery) (Secret, error)

	// Fetch makes one HTTP request (data "http").
	Fetch(Request) (Response, error)
}

// Parameter is an SSM parameter.
type Parameter struct {
	Value, ARN string
	Version    int64
}

// SecretQuery names a secret and, where not the current one is wanted, a version of it.
type SecretQuery struct{ Name, VersionID, VersionStage string }

// Secret is a version of a secret, as text or as bytes.
type Secret struct {
	Text      string
	Binary    []byte
	VersionID string
}

// Request is one HTTP request.
type Request struct {
	URL, Method, Body string
	Headers           map[string]string
}

// Response is the answer to one.
type Response struct {
	Body    string
	Headers map[string]string
}
