// Package funcs has the functions of Packer's HCL2 templates.
package funcs

import (
	"maps"
	"time"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Surroundings are what functions may look at beside their arguments.
type Surroundings struct {
	Now  time.Time // what timestamp says, for the whole run
	Dir  string    // where relative paths start
	Home string    // what ~ stands for

	// Secret reads a secret of AWS Secrets Manager: one key of it, or when it is not keyed all of it as it is. ErrUnknown
	// means that nobody is asked now.
	Secret func(name, key string, keyed bool) (string, error)

	// Random fills in random bytes, for uuidv4. Optional; defaults to other ones each time.
	Random func([]byte)

	// Strftime writes a time by the letters of C's strftime.
	Strftime func(t time.Time, format string) (string, error)
}

// Table returns all functions by name. It is made when it is asked for, so that a program that reads no HCL does not
// pay for it.
func Table(s Surroundings) map[string]function.Function {
	all := map[string]function.Function{}
	for _, group := range []map[string]function.Function{
		numbers(), texts(), collections(), encodings(), s.hashes(), network(), s.files(), s.times(), s.servers(),
	} {
		maps.Copy(all, group)
	}
	// What templatefile reads may call everything but itself.
	all["templatefile"] = s.templateFile(maps.Clone(all))
	return all
}

// UUID4 is uuidv4 with random bytes of the caller's own.
func UUID4(random func([]byte)) function.Function { return uuid4(random) }

// Names lists the functions that a template may call.
func Names() []string {
	return sorted(Table(Surroundings{}))
}

func numbers() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": power(), "signum": stdlib.SignumFunc,
		"sum": sum(), "range": stdlib.RangeFunc,
	}
}

func texts() map[string]function.Function {
	return map[string]function.Function{
		"chomp": stdlib.ChompFunc, "endswith": endsWith(), "format": format(stdlib.FormatFunc), "formatlist": format(stdlib.FormatListFunc),
		"indent": indent(), "join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"regex_replace": stdlib.RegexReplaceFunc, "replace": replace(), "split": stdlib.SplitFunc, "startswith": startsWith(),
		"strcontains": strContains(), "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc,
		"upper": stdlib.UpperFunc,
	}
}

func collections() map[string]function.Function {
	return map[string]function.Function{
		"alltrue": allTrue(), "anytrue": anyTrue(), "can": tryfunc.CanFunc, "chunklist": stdlib.ChunklistFunc, "coalesce": coalesce(),
		"coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
		"convert": typeexpr.ConvertFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc,
		"index": index(), "keys": stdlib.KeysFunc, "length": length(), "lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": setProduct(),
		"setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "try": tryfunc.TryFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,
	}
}

func encodings() map[string]function.Function {
	return map[string]function.Function{
		"base64decode": base64Decode(), "base64encode": base64Encode(), "base64gzip": base64Gzip(), "csvdecode": stdlib.CSVDecodeFunc,
		"jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc, "textdecodebase64": textDecode(),
		"textencodebase64": textEncode(), "urlencode": urlEncode(), "yamldecode": yaml.YAMLDecodeFunc, "yamlencode": yaml.YAMLEncodeFunc,
	}
}
