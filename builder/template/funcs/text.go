package funcs

import (
	"errors"
	"math"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// param is a parameter that takes one kind of value.
func param(name string, t cty.Type) function.Parameter {
	return function.Parameter{Name: name, Type: t}
}

// ofText makes a function of strings that returns a string.
func ofText(do func(args []string) (string, error), names ...string) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(cty.String)}
	for _, name := range names {
		spec.Params = append(spec.Params, param(name, cty.String))
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		texts := make([]string, len(args))
		for i, a := range args {
			texts[i] = a.AsString()
		}
		out, err := do(texts)
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		return cty.StringVal(out), nil
	}
	return function.New(spec)
}

// test makes a function that says something about two strings.
func test(holds func(s, part string) bool, part string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("str", cty.String), param(part, cty.String)},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func startsWith() function.Function  { return test(strings.HasPrefix, "prefix") }
func endsWith() function.Function    { return test(strings.HasSuffix, "suffix") }
func strContains() function.Function { return test(strings.Contains, "substr") }

// Bounds that keep one call from taking all memory.
const (
	maxWidth = 1000 // digits of a width or precision together, and of spaces: anything more is no text
	maxPower = 4096

	maxText    = 64 << 20
	maxProduct = 100_000
)

var errTooBig = errors.New("the result would be too big")

// format refuses a width or precision that would fill the memory.
func format(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if len(args) == 0 || args[0].Type() != cty.String || args[0].IsNull() || !args[0].IsKnown() {
			return nil
		}
		digits := 0
		for _, c := range args[0].AsString() {
			if digits++; c < '0' || c > '9' {
				digits = 0
			}
			if digits > len("9999") {
				return errTooBig
			}
		}
		return nil
	})
}

// replace refuses what would make a text of more than maxText bytes.
func replace() function.Function {
	return guarded(stdlib.ReplaceFunc, func(args []cty.Value) error {
		s, part, by := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if strings.Count(s, part)*len(by) > maxText {
			return errTooBig
		}
		return nil
	})
}

// setProduct refuses more than maxProduct combinations.
func setProduct() function.Function {
	return guarded(stdlib.SetProductFunc, func(args []cty.Value) error {
		n := 1
		for _, a := range args {
			if !a.IsKnown() || a.IsNull() {
				return nil
			}
			if n *= len(a.AsValueSlice()); n > maxProduct {
				return errTooBig
			}
		}
		return nil
	})
}

func indent() function.Function {
	return guarded(stdlib.IndentFunc, func(args []cty.Value) error {
		return atMost(args[0], maxWidth)
	})
}

// power is pow, for exponents whose results have a writable number of digits.
func power() function.Function {
	return guarded(stdlib.PowFunc, func(args []cty.Value) error {
		return errors.Join(atMost(args[1], maxPower), atMost(args[1].Negate(), maxPower))
	})
}

func atMost(v cty.Value, limit float64) error {
	if n, _ := v.AsBigFloat().Float64(); math.IsInf(n, 0) || n > limit {
		return errTooBig
	}
	return nil
}

// guarded is f, after check has seen the arguments.
func guarded(f function.Function, check func([]cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) { return f.ReturnTypeForValues(args) },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := check(args); err != nil {
				return cty.DynamicVal, err
			}
			return f.Call(args)
		},
	})
}
