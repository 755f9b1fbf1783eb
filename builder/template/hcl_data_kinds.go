package template

import (
	"encoding/base64"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/imagobuild/imago/builder"
)

func texts(names ...string) map[string]cty.Type {
	all := map[string]cty.Type{}
	for _, name := range names {
		all[name] = cty.String
	}
	return all
}

// stringMap makes a map, which may be empty.
func stringMap(m map[string]string) cty.Value {
	all := map[string]cty.Value{}
	for k, v := range m {
		all[k] = cty.StringVal(v)
	}
	if len(all) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	return cty.MapVal(all)
}

func readImageData(o *object) (func(Lookup) (cty.Value, error), cty.Type) {
	access := readAccess(o)
	filter := builder.ImageFilter{
		Filters: readFilters(o), Owners: o.list("owners"),
		MostRecent: o.boolean("most_recent"), IncludeDeprecated: o.boolean("include_deprecated"),
	}
	o.need("owners", len(filter.Owners) > 0)
	t := texts("id", "name", "creation_date", "owner", "owner_name")
	t["tags"] = cty.Map(cty.String)
	return func(l Lookup) (cty.Value, error) {
		img, err := l.Image(access, filter)
		return cty.ObjectVal(map[string]cty.Value{
			"id": cty.StringVal(img.ID), "name": cty.StringVal(img.Name), "creation_date": cty.StringVal(creationDate(img)),
			"owner": cty.StringVal(img.Owner), "owner_name": cty.StringVal(img.OwnerName), "tags": stringMap(img.Tags),
		}), err
	}, cty.Object(t)
}

func readParameterData(o *object) (func(Lookup) (cty.Value, error), cty.Type) {
	access, name, decrypt := readAccess(o), o.required("name"), o.boolean("with_decryption")
	return func(l Lookup) (cty.Value, error) {
		p, err := l.Parameter(access, name, decrypt)
		return cty.ObjectVal(map[string]cty.Value{
			"value": cty.StringVal(p.Value), "arn": cty.StringVal(p.ARN), "version": cty.StringVal(fmt.Sprint(p.Version)),
		}), err
	}, cty.Object(texts("value", "arn", "version"))
}

func readSecretData(o *object) (func(Lookup) (cty.Value, error), cty.Type) {
	access, key := readAccess(o), o.text("key")
	query := SecretQuery{Name: o.required("name"), VersionID: o.text("version_id"), VersionStage: o.text("version_stage")}
	return func(l Lookup) (cty.Value, error) {
		s, err := l.Secret(access, query)
		if err != nil {
			return cty.NilVal, err
		}
		o.p.secret(s.Text)
		value, err := secretKey(s.Text, key)
		o.p.secret(value)
		return cty.ObjectVal(map[string]cty.Value{
			"value": cty.StringVal(value), "secret_string": cty.StringVal(s.Text),
			"secret_binary": cty.StringVal(base64.StdEncoding.EncodeToString(s.Binary)), "version_id": cty.StringVal(s.VersionID),
		}), err
	}, cty.Object(texts("value", "secret_string", "secret_binary", "version_id"))
}

// secretKey takes one value out of a secret that is a JSON object: the first, when no key is given.
func secretKey(text, key string) (string, error) {
	root, ok := readJSON("", []byte(text), &problems{})
	if !ok || root.kind != kindObject {
		if key == "" {
			return text, nil
		}
		return "", fmt.Errorf("the secret is no JSON object, so it has no key %q", key)
	}
	for _, m := range root.members {
		if key == "" || key == m.name {
			value, scalar := m.value.scalar()
			if m.value.kind == kindBool {
				value = map[string]string{"1": "true", "0": "false"}[value]
			}
			if !scalar {
				return "", fmt.Errorf("the key %q of the secret holds %s", m.name, m.value.kind)
			}
			return value, nil
		}
	}
	return "", fmt.Errorf("the secret has no key %q", key)
}

func readHTTPData(o *object) (func(Lookup) (cty.Value, error), cty.Type) {
	r := Request{
		URL: o.required("url"), Body: o.text("request_body"), Headers: o.pairs("request_headers", "", place{}),
		Method: o.oneOf("method", "HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"),
	}
	t := texts("url", "body")
	t["request_headers"] = cty.Map(cty.String)
	return func(l Lookup) (cty.Value, error) {
		answer, err := l.Fetch(r)
		return cty.ObjectVal(map[string]cty.Value{
			"url": cty.StringVal(r.URL), "body": cty.StringVal(answer.Body), "request_headers": stringMap(answer.Headers),
		}), err
	}, cty.Object(t)
}
