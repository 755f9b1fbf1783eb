package funcs

import (
	"errors"
	"fmt"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func (s Surroundings) times() map[string]function.Function {
	return map[string]function.Function{
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,
		"timestamp":      ofText(func([]string) (string, error) { return s.Now.UTC().Format(time.RFC3339), nil }),
		"legacy_isotime": s.isotime(), "legacy_strftime": s.strftime(),
		"rfc3339_parse": rfc3339Parse(), "unix_timestamp_parse": unixParse(),
	}
}

// isotime is the time of the run, by default in RFC 3339 format; one argument is a layout of Go's.
func (s Surroundings) isotime() function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "format", Type: cty.String},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch len(args) {
			case 0:
				return cty.StringVal(s.Now.UTC().Format(time.RFC3339)), nil
			case 1:
				return cty.StringVal(s.Now.UTC().Format(args[0].AsString())), nil
			}
			return cty.NilVal, fmt.Errorf("it takes one format, not %d", len(args))
		},
	})
}

func (s Surroundings) strftime() function.Function {
	return ofText(func(a []string) (string, error) {
		return s.Strftime(s.Now, a[0])
	}, "format")
}

// moment is what the functions that read times return: the parts of a time, and the time in the other form.
func moment(t time.Time, other string, form cty.Value) cty.Value {
	year, week := t.ISOWeek()
	n := func(i int) cty.Value { return cty.NumberIntVal(int64(i)) }
	return cty.ObjectVal(map[string]cty.Value{
		"year": n(t.Year()), "year_day": n(t.YearDay()), "day": n(t.Day()), "month": n(int(t.Month())), "month_name": cty.StringVal(t.Month().String()),
		"weekday": n(int(t.Weekday())), "weekday_name": cty.StringVal(t.Weekday().String()),
		"hour": n(t.Hour()), "minute": n(t.Minute()), "second": n(t.Second()), "iso_year": n(year), "iso_week": n(week),
		other: form,
	})
}

func rfc3339Parse() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("timestamp", cty.String)}, Type: function.StaticReturnType(moment(time.Time{}, "unix", cty.Zero).Type()),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text := args[0].AsString()
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t, err = time.Parse("2006-01-02 15:04:05Z07:00", text)
			}
			if err != nil {
				return cty.NilVal, fmt.Errorf("%q is no time such as 2030-01-31T00:00:00Z", text)
			}
			return moment(t, "unix", cty.NumberIntVal(t.Unix())), nil
		},
	})
}

func unixParse() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("timestamp", cty.Number)}, Type: function.StaticReturnType(moment(time.Time{}, "rfc3339", cty.StringVal("")).Type()),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			seconds, err := whole(args[0])
			if err != nil || !seconds.IsInt64() {
				return cty.NilVal, errors.New("it must be a whole number of seconds")
			}
			t := time.Unix(seconds.Int64(), 0).UTC()
			return moment(t, "rfc3339", cty.StringVal(t.Format(time.RFC3339))), nil
		},
	})
}
