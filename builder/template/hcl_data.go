package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// dataSource is a data block, asked at its first use.
type dataSource struct {
	kind, name string
	at         pos
	body       hcl.Body
	pending    bool // being asked right now
	done       bool
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
		d := m.data[key]
		if d.pending {
			return fmt.Errorf("data source %s.%s needs its own answer", d.kind, d.name)
		}
		if all[key[0]] == nil {
			all[key[0]] = map[string]cty.Value{}
		}
		all[key[0]][key[1]] = m.ask(d)
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
func (m *module) ask(d *dataSource) cty.Value {
	if !d.done {
		d.pending = true
		d.value = m.answer(d)
		d.pending, d.done = false, true
	}
	return d.value
}

// answer reads the options of a data source, and asks.
func (m *module) answer(d *dataSource) cty.Value {
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
		return cty.DynamicVal
	}
	before := len(m.problems.all)
	v := m.evaluator().object(d.body, d.kind, d.at)
	if v.kind != kindObject {
		return cty.DynamicVal
	}
	o := m.object(v, "data source "+d.kind)
	question, t := read(o)
	o.finish()
	if len(m.problems.all) > before {
		return cty.DynamicVal
	}
	if m.o.Lookup == nil || o.v.unknown() {
		m.open = true
		return cty.UnknownVal(t)
	}
	out, err := question(m.o.Lookup)
	if err != nil {
		m.problem(d.at, "data source %s.%s: %s", d.kind, d.name, err)
		return cty.DynamicVal
	}
	return out
}

// nullData is data "null", which says what it is told.
func (m *module) nullData(d *dataSource) cty.Value {
	schema := &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "input", Required: true}}}
	content := m.contentOf(d.body, schema, "data source null")
	a, ok := content.Attributes["input"]
	if !ok {
		return cty.DynamicVal
	}
	v, _ := m.evaluator().value(a.Expr)
	return cty.ObjectVal(map[string]cty.Value{"output": v})
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
