package template

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/imagobuild/imago/builder"
)

// dataSource is a data block, asked at its first use.
type dataSource struct {
	kind, name string
	at         pos
	body       hcl.Body
	pending    bool // being asked right now
	done, ok   bool
	value      cty.Value
}

func (m *module) declareData(b *hcl.Block) {
	d := &dataSource{kind: b.Labels[0], name: b.Labels[1], at: posOf(b.DefRange), body: b.Body}
	key := [2]string{d.kind, d.name}
	if first, ok := m.data[key]; ok {
		m.twice(d.at, "data source", d.kind+"."+d.name, first.at)
		return
	}
	m.data[key] = d
}

// dataOf adds to all what data.TYPE.NAME refers to.
func (m *module) dataOf(ref hcl.Traversal, all map[string]map[string]cty.Value) error {
	kind, name := attribute(ref, 1), attribute(ref, 2)
	if _, ok := m.data[[2]string{kind, name}]; kind != "" && name != "" && !ok {
		full := kind + "." + name
		return fmt.Errorf("there is no data source %q%s", full, didYouMean(full, m.dataNames()))
	}
	for _, key := range m.dataKeys() {
		if kind != "" && kind != key[0] || name != "" && name != key[1] {
			continue
		}
		v, err := m.ask(m.data[key])
		if err != nil {
			return err
		}
		if all[key[0]] == nil {
			all[key[0]] = map[string]cty.Value{}
		}
		all[key[0]][key[1]] = v
	}
	return nil
}

func (m *module) dataKeys() [][2]string {
	var keys [][2]string
	for key := range m.data {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return keys
}

func (m *module) dataNames() []string {
	var all []string
	for _, key := range m.dataKeys() {
		all = append(all, key[0]+"."+key[1])
	}
	return all
}

func dataValue(all map[string]map[string]cty.Value) cty.Value {
	kinds := map[string]cty.Value{}
	for kind, byName := range all {
		kinds[kind] = cty.ObjectVal(byName)
	}
	return cty.ObjectVal(kinds)
}

// ask finds out what a data source says, once. Without somebody to ask it is not known.
func (m *module) ask(d *dataSource) (cty.Value, error) {
	switch {
	case d.pending:
		return cty.DynamicVal, fmt.Errorf("data source %s.%s needs its own answer", d.kind, d.name)
	case !d.done:
		d.pending = true
		d.value, d.ok = m.answer(d)
		d.pending, d.done = false, true
	}
	if !d.ok {
		return cty.DynamicVal, errTold
	}
	return d.value, nil
}

// answer reads the options of a data source, and asks.
func (m *module) answer(d *dataSource) (cty.Value, bool) {
	readers := map[string]func(*object) (func(Lookup) (cty.Value, error), cty.Type){
		"amazon-ami": readImageData, "amazon-parameterstore": readParameterData, "amazon-secretsmanager": readSecretData, "http": readHTTPData,
	}
	if d.kind == "null" {
		return m.nullData(d)
	}
	read, ok := readers[d.kind]
	if !ok {
		known := append(names(readers), "null")
		m.problem(d.at, "there is no data source of the type %q here; there are %s%s", d.kind, strings.Join(known, ", "), didYouMean(d.kind, known))
		return cty.DynamicVal, false
	}
	before := len(m.problems.all)
	v := m.evaluator().object(d.body, d.kind, d.at)
	if v.kind != kindObject {
		return cty.DynamicVal, false
	}
	o := m.object(v, "data source "+d.kind)
	question, t := read(o)
	o.finish()
	if len(m.problems.all) > before {
		return cty.DynamicVal, false
	}
	if m.o.Lookup == nil || o.v.unknown() {
		m.open = true
		return cty.UnknownVal(t), true
	}
	out, err := question(m.o.Lookup)
	if err != nil {
		m.problem(d.at, "data source %s.%s: %s", d.kind, d.name, err)
		return cty.DynamicVal, false
	}
	return out, true
}

// nullData is data "null", which says what it is told.
func (m *module) nullData(d *dataSource) (cty.Value, bool) {
	schema := &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "input", Required: true}}}
	content := m.contentOf(d.body, schema, "data source null")
	a, ok := content.Attributes["input"]
	if !ok {
		return cty.DynamicVal, false
	}
	v, ok := m.evaluator().value(a.Expr)
	return cty.ObjectVal(map[string]cty.Value{"output": v}), ok
}

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

// askSecret is aws_secretsmanager, for the region and credentials of the environment.
//
// A secret is read once: what needs the machine is evaluated again, for several builds at the same time.
func (m *module) askSecret(name, key string, keyed bool) (string, error) {
	m.asking.Lock()
	defer m.asking.Unlock()
	text, ok := m.secrets[name]
	if !ok {
		s, err := m.o.Lookup.Secret(Access{}, SecretQuery{Name: name})
		if err != nil {
			return "", err
		}
		text = s.Text
		m.secrets[name] = text
		m.secret(text)
	}
	if !keyed {
		return text, nil
	}
	value, err := secretKey(text, key)
	m.secret(value)
	return value, err
}
