package localcloud

import (
	"context"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testRequest(pairs ...string) *request {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return newRequest(context.Background(), "us-east-1", form)
}

func TestListsAreInTheOrderOfTheirNumbers(t *testing.T) {
	r := testRequest("Id.10", "ten", "Id.2", "two", "Id.1", "one", "Id.01", "not a number of a list")
	if diff := cmp.Diff([]string{"one", "two", "ten"}, r.list("Id")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, want := r.checked().Error(), "UnknownParameter: The parameter Id.01 is not recognized"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatWasReadBelowAParameterCounts(t *testing.T) {
	r := testRequest("A.1.B.C", "x", "A.1.D", "y")
	for _, item := range r.each("A") {
		if got := item.at("B").text("C"); got != "x" {
			t.Errorf("A.1.B.C is %q", got)
		}
	}
	if got, want := r.checked().Error(), "UnknownParameter: The parameter A.1.D is not recognized"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTagRules(t *testing.T) {
	for name, test := range map[string]struct {
		pairs []string
		want  string
	}{
		"good":     {[]string{"Tag.1.Key", "a", "Tag.1.Value", ""}, ""},
		"no key":   {[]string{"Tag.1.Value", "x"}, "InvalidParameterValue: Tag key cannot be null or empty"},
		"reserved": {[]string{"Tag.1.Key", "AWS:x"}, "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use"},
		"twice":    {[]string{"Tag.1.Key", "a", "Tag.2.Key", "a"}, "InvalidParameterValue: Duplicate tag key 'a' specified."},
		"another parameter": {[]string{"Tag.1.Key", "a", "Tag.1.Colour", "red"},
			"UnknownParameter: The parameter Tag.1.Colour is not recognized"},
	} {
		t.Run(name, func(t *testing.T) {
			r := testRequest(test.pairs...)
			r.tagList("Tag")
			got := ""
			if err := r.checked(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWildcards(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"debian-12-*", "debian-12-amd64", true},
		{"debian-12-*", "debian-13-amd64", false},
		{"*", "", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b", "xxaxxbxx", false},
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
		{"web", "Web", false},
	} {
		if got := wildcard(test.pattern, test.text); got != test.want {
			t.Errorf("%q on %q: %t, want %t", test.pattern, test.text, got, test.want)
		}
	}
}

func TestPages(t *testing.T) {
	all := []string{"a", "b", "c"}
	for name, test := range map[string]struct {
		pairs []string
		want  []string
		more  bool
		fault string
	}{
		"all":          {nil, all, false, ""},
		"first":        {[]string{"MaxResults", "2"}, []string{"a", "b"}, true, ""},
		"exactly":      {[]string{"MaxResults", "3"}, all, false, ""},
		"a wild token": {[]string{"NextToken", "x"}, nil, false, "InvalidNextToken: The token 'x' is invalid"},
		"none": {[]string{"MaxResults", "0"}, nil, false,
			"InvalidParameterValue: Value (0) for parameter maxResults is invalid. Expecting a value between 1 and 1000."},
	} {
		t.Run(name, func(t *testing.T) {
			page, next, err := paginate(testRequest(test.pairs...), all)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, page); diff != "" || (next != "") != test.more || got != test.fault {
				t.Errorf("next %q, fault %q, -want +got:\n%s", next, got, diff)
			}
		})
	}
}
