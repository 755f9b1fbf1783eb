package funcs

import (
	"errors"
	"maps"
	"math/big"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func isList(t cty.Type) bool { return t.IsListType() || t.IsSetType() || t.IsTupleType() }

func anything(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowDynamicType: true}
}

// length counts the elements of a collection or the characters of a string.
func length() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t != cty.String && t != cty.DynamicPseudoType && !isList(t) && !t.IsMapType() && !t.IsObjectType() {
				return cty.Number, errors.New("it has no length: it must be a list, a set, a map, an object or a string")
			}
			return cty.Number, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch v := args[0]; {
			case v.Type() == cty.DynamicPseudoType:
				return cty.UnknownVal(cty.Number), nil
			case v.Type() == cty.String:
				return stdlib.Strlen(v)
			case v.Type().IsTupleType():
				return cty.NumberIntVal(int64(v.Type().Length())), nil
			case v.Type().IsObjectType():
				return cty.NumberIntVal(int64(len(v.Type().AttributeTypes()))), nil
			default:
				return v.Length(), nil
			}
		},
	})
}

// index finds a value in a list.
func index() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anything("list"), anything("value")},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t := args[0].Type(); !isList(t) || t.IsSetType() {
				return cty.Number, function.NewArgErrorf(0, "it must be a list")
			}
			return cty.Number, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for i, e := range args[0].AsValueSlice() {
				equal, err := stdlib.Equal(e, args[1])
				if err != nil || !equal.IsKnown() {
					return cty.UnknownVal(cty.Number), err
				}
				if equal.True() {
					return cty.NumberIntVal(int64(i)), nil
				}
			}
			return cty.NilVal, errors.New("the list does not have this value")
		},
	})
}

// coalesce returns its first argument that is neither null nor an empty string.
func coalesce() function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "vals", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true},
		Type: func(args []cty.Value) (cty.Type, error) {
			types := make([]cty.Type, len(args))
			for i, v := range args {
				types[i] = v.Type()
			}
			t, _ := convert.UnifyUnsafe(types)
			if t == cty.NilType {
				return cty.NilType, errors.New("all arguments must have the same type")
			}
			return t, nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			for _, v := range args {
				v, err := convert.Convert(v, t)
				switch {
				case err != nil:
					return cty.NilVal, err
				case !v.IsKnown():
					return cty.UnknownVal(t), nil
				case v.IsNull() || v.Type() == cty.String && v.AsString() == "":
				default:
					return v, nil
				}
			}
			return cty.NilVal, errors.New("all arguments are null or empty")
		},
	})
}

// allTrue and anyTrue look at a list of booleans. Null is false; of none, all are true.
func allTrue() function.Function { return judge(true) }
func anyTrue() function.Function { return judge(false) }

// judge returns usual, unless one of the list is the opposite.
func judge(usual bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("list", cty.List(cty.Bool))},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			open := false
			for _, v := range args[0].AsValueSlice() {
				if !v.IsKnown() {
					open = true
				} else if (!v.IsNull() && v.True()) != usual {
					return cty.BoolVal(!usual), nil
				}
			}
			if open {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(usual), nil
		},
	})
}

// sum adds the numbers of a list.
func sum() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anything("list")},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !isList(args[0].Type()) {
				return cty.Number, function.NewArgErrorf(0, "it must be a list of numbers")
			}
			return cty.Number, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			all := args[0].AsValueSlice()
			if len(all) == 0 {
				return cty.NilVal, function.NewArgErrorf(0, "it is empty, and nothing has no sum")
			}
			total := new(big.Float)
			for _, v := range all {
				n, err := convert.Convert(v, cty.Number)
				if err != nil || n.IsNull() {
					return cty.NilVal, function.NewArgErrorf(0, "it must be a list of numbers")
				}
				if !n.IsKnown() {
					return cty.UnknownVal(cty.Number), nil
				}
				if n.AsBigFloat().IsInf() {
					return cty.NilVal, errTooBig
				}
				total = total.SetPrec(512).Add(total, n.AsBigFloat())
			}
			return cty.NumberVal(total), nil
		},
	})
}
