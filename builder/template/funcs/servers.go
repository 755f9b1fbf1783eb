package funcs

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// servers are the functions that ask somebody.
func (s Surroundings) servers() map[string]function.Function {
	const instead = " is not supported yet; give the value with -var or an environment variable"
	return map[string]function.Function{
		"aws_secretsmanager":     s.secret(true),
		"aws_secretsmanager_raw": s.secret(false),
		"consul_key":             refusal("consul_key needs a Consul server, which" + instead),
		"vault":                  refusal("vault needs a Vault server, which" + instead),
		"env":                    refusal("env may be called only in the default of a variable; declare one, and write var.NAME here"),
	}
}

// ErrUnknown is what Surroundings.Secret returns when nobody may be asked now.
var ErrUnknown = errors.New("not known yet")

// refusal is a function that only says why it cannot be called.
func refusal(why string) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "args", Type: cty.DynamicPseudoType},
		Type:     func([]cty.Value) (cty.Type, error) { return cty.String, errors.New(why) },
		Impl:     func([]cty.Value, cty.Type) (cty.Value, error) { return cty.NilVal, errors.New(why) },
	})
}

// Env is the function that reads an environment variable, which may be missing.
func Env(lookup func(string) string) function.Function {
	return ofText(func(a []string) (string, error) { return lookup(a[0]), nil }, "key")
}

// secret reads a secret: one of its keys, or with keyed false all of it.
func (s Surroundings) secret(keyed bool) function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{param("name", cty.String)},
		VarParam: &function.Parameter{Name: "key", Type: cty.String, AllowNull: true},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if len(args) > 2 || !keyed && len(args) > 1 {
				return cty.NilVal, errors.New("it takes the name of a secret and, unless it is the raw one, a key")
			}
			key := ""
			if len(args) == 2 && !args[1].IsNull() {
				key = args[1].AsString()
			}
			text, err := s.Secret(args[0].AsString(), key, keyed)
			if err == ErrUnknown {
				return cty.UnknownVal(cty.String), nil
			}
			return cty.StringVal(text), err
		},
	})
}
