package localcloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseFaults reads a fault file, which is JSON. It refuses what it does not
// know, and says all that is wrong, each with its line.
func ParseFaults(text []byte) (Faults, error) {
	if err := checkJSON(text); err != nil {
		return Faults{}, err
	}
	var f Faults
	p := faultReader{text: text}
	p.file(&f)
	if len(p.problems) > 0 {
		return Faults{}, errors.Join(p.problems...)
	}
	return f, nil
}

// checkJSON says where a text is not JSON.
func checkJSON(text []byte) error {
	err := json.Unmarshal(text, new(any))
	if err == nil {
		return nil
	}
	at := len(text)
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = int(bad.Offset)
	}
	return fmt.Errorf("line %d: %w", lineAt(text, at), err)
}

// faultReader reads a file of a user's that is JSON, and keeps what is wrong with it.
type faultReader struct {
	text     []byte
	problems []error
}

func lineAt(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), len(text))], []byte("\n"))
}

func (p *faultReader) problem(at int, format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf("line %d: %s", lineAt(p.text, at), fmt.Sprintf(format, args...)))
}

func (p *faultReader) file(f *Faults) {
	all := wholeFile(p.text)
	found := p.object("", all, map[string]any{"seed": &f.Seed, "clock": &f.Clock, "rules": new(json.RawMessage)})
	rules, ok := found["rules"]
	switch {
	case !ok:
		p.problem(all.at, "rules: required")
	case rules.text[0] != '[':
		p.problem(rules.at, "rules: expects a list")
	default:
		f.Rules = []FaultRule{}
		for i, one := range rules.items() {
			f.Rules = append(f.Rules, p.rule(fmt.Sprintf("rules[%d]", i), one))
		}
	}
}

// rule reads a rule. Its fields are held against each other only when all of
// them could be read.
func (p *faultReader) rule(place string, one piece) FaultRule {
	var r FaultRule
	before := len(p.problems)
	p.object(place, one, r.fields())
	if len(p.problems) > before {
		return r
	}
	for _, problem := range r.check() {
		p.problem(one.at, "%s%s", place, problem)
	}
	return r
}

// fields are the places of a rule's fields, by their names in a file.
func (r *FaultRule) fields() map[string]any {
	return map[string]any{
		"action": &r.Action, "instance_type": &r.InstanceType, "subnet": &r.Subnet, "zone": &r.Zone, "token": &r.Token,
		"nth": &r.Nth, "share": &r.Share, "times": &r.Times,
		"delay": &r.Delay, "error": &r.Error, "message": &r.Message, "reset": &r.Reset, "consistency": &r.Consistency,
		"machine": &r.Machine, "result": &r.Result, "after": &r.After, "for": &r.For, "bytes": &r.Bytes,
	}
}

// object reads an object's members into fields, and returns where each was.
func (p *faultReader) object(place string, of piece, fields map[string]any) map[string]piece {
	found := map[string]piece{}
	if of.text[0] != '{' {
		p.problem(of.at, "%s", strings.TrimPrefix(place+": expects an object", ": "))
		return found
	}
	for _, m := range of.members() {
		name := strings.TrimPrefix(place+"."+strings.Trim(strconv.Quote(m.key), `"`), ".") // a key may hold line ends
		field, known := fields[m.key]
		_, twice := found[m.key]
		switch {
		case !known:
			p.problem(m.at, "%s: there is no such field (there are %s)", name, strings.Join(sortedKeys(fields), ", "))
		case twice:
			p.problem(m.at, "%s: said twice", name)
		default:
			found[m.key] = m.piece
			if why := readField(field, m.text); why != "" {
				p.problem(m.at, "%s: %s", name, why)
			}
		}
	}
	return found
}

// readField reads a value into its place, and says what is wrong with it.
func readField(field any, text json.RawMessage) string {
	if err := json.Unmarshal(text, field); err != nil || string(text) == "null" {
		return "expects " + expectation(field)
	}
	if isNothing(field) {
		return "says nothing: expects " + expectation(field)
	}
	return ""
}

// isNothing finds values that would read as if the field were not there.
func isNothing(field any) bool {
	switch v := field.(type) {
	case *string:
		return *v == ""
	case *int:
		return *v == 0
	case *int64:
		return *v == 0
	case *float64:
		return *v == 0
	case *Span:
		return *v == 0
	case *[]int:
		return len(*v) == 0
	default: // a seed may be 0
		return false
	}
}

func expectation(field any) string {
	switch field.(type) {
	case *string:
		return "a text"
	case *float64:
		return "a number above 0, at most 1"
	case *Span:
		return `a time such as "1m30s"`
	case *[]int:
		return "a list of whole numbers from 1"
	case *uint64:
		return "a whole number from 0"
	case *map[string]string:
		return "an object of texts"
	case *json.RawMessage:
		return "a list"
	default:
		return "a whole number from 1"
	}
}

// piece is a JSON value and where in the file it begins.
type piece struct {
	text json.RawMessage
	at   int
}

// member is a value of an object.
type member struct {
	piece
	key string
}

// wholeFile is the value of a whole file.
func wholeFile(text []byte) piece {
	trimmed := bytes.TrimSpace(text)
	return piece{trimmed, bytes.Index(text, trimmed)}
}

// members are the members of an object, in the order of the file, also those
// that stand there twice. The text is known to be JSON.
func (p piece) members() []member {
	var all []member
	d := json.NewDecoder(bytes.NewReader(p.text))
	d.Token() //nolint:errcheck // the brace
	for d.More() {
		key, _ := d.Token()
		name, _ := key.(string)
		all = append(all, member{p.next(d), name})
	}
	return all
}

// items are the values of a list.
func (p piece) items() []piece {
	var all []piece
	d := json.NewDecoder(bytes.NewReader(p.text))
	d.Token() //nolint:errcheck // the bracket
	for d.More() {
		all = append(all, p.next(d))
	}
	return all
}

// next is the value that follows inside p.
func (p piece) next(d *json.Decoder) piece {
	var text json.RawMessage
	d.Decode(&text) //nolint:errcheck // the text is known to be JSON
	return piece{slices.Clone(text), p.at + int(d.InputOffset()) - len(text)}
}
