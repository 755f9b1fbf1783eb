package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/template"
)

// Limits of one answer to data "http".
const (
	fetchTimeout = 30 * time.Second
	maxFetched   = 16 << 20
)

// lookup answers the data sources of HCL2 templates: from AWS or the local cloud, and from the web.
type lookup struct {
	ctx     context.Context // of the command: a template is read in one go
	session *session
	onLocal bool // ask the local cloud
}

var _ template.Lookup = (*lookup)(nil)

// clients makes the clients for one data source.
func (l *lookup) clients(a template.Access) (clients, error) {
	var env *localcloud.Env
	if l.onLocal {
		e, err := l.session.ensureCloud(l.ctx)
		if err != nil {
			return clients{}, err
		}
		env = &e
	}
	l.session.secrets.Hide(a.SecretKey, a.Token)
	return newClients(l.ctx, a, env, l.session.account(&account{}))
}

// Image is data "amazon-ami".
func (l *lookup) Image(a template.Access, f builder.ImageFilter) (builder.SourceImage, error) {
	c, err := l.clients(a)
	if err != nil {
		return builder.SourceImage{}, err
	}
	return c.builder().FindImage(l.ctx, builder.Source{Filter: &f})
}

// Parameter is data "amazon-parameterstore".
func (l *lookup) Parameter(a template.Access, name string, decrypt bool) (template.Parameter, error) {
	c, err := l.clients(a)
	if err != nil {
		return template.Parameter{}, err
	}
	out, err := (*ssmCalls)(ssm.NewFromConfig(c.config)).GetParameter(l.ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: &decrypt})
	if err != nil {
		return template.Parameter{}, err
	}
	p := out.Parameter
	return template.Parameter{Value: aws.ToString(p.Value), ARN: aws.ToString(p.ARN), Version: p.Version}, nil
}

// Secret is data "amazon-secretsmanager", and aws_secretsmanager.
func (l *lookup) Secret(a template.Access, q template.SecretQuery) (template.Secret, error) {
	c, err := l.clients(a)
	if err != nil {
		return template.Secret{}, err
	}
	return getSecret(l.ctx, c.config, q)
}

// Fetch is data "http".
func (l *lookup) Fetch(r template.Request) (template.Response, error) {
	ctx, cancel := context.WithTimeout(l.ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return template.Response{}, err
	}
	for name, value := range r.Headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return template.Response{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return template.Response{}, fmt.Errorf("%s answers %s", r.URL, resp.Status)
	}
	if kind := resp.Header.Get("Content-Type"); !readable(kind) {
		return template.Response{}, fmt.Errorf("%s answers with %s; it must be text or JSON", r.URL, kind)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFetched+1))
	if err != nil {
		return template.Response{}, fmt.Errorf("read %s: %w", r.URL, err)
	}
	if len(body) > maxFetched {
		return template.Response{}, fmt.Errorf("%s answers with more than %d bytes", r.URL, maxFetched)
	}
	out := template.Response{Body: string(body), Headers: map[string]string{}}
	for name, values := range resp.Header {
		out.Headers[name] = strings.Join(values, ", ")
	}
	return out, nil
}

// readable says whether a content type is text or JSON.
func readable(kind string) bool {
	kind, _, _ = strings.Cut(strings.ToLower(kind), ";")
	kind = strings.TrimSpace(kind)
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == ""
}
