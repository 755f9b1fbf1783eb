package localcloud

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

type filter struct {
	name   string
	values []string
}

// filters are the Filter.N of a Describe call: all must match, each by any of
// its values.
type filters []filter

func (r *request) filters() filters {
	var all filters
	for _, item := range r.each("Filter") {
		f := filter{name: item.need("Name"), values: item.list("Value")}
		if len(f.values) == 0 {
			r.problem(faultf("InvalidParameterValue", "The filter '%s' needs at least one value", f.name))
		}
		all = append(all, f)
	}
	return all
}

// match asks attribute for the values of a filter's name; known is false for a
// name that the resource does not have. Filters by tag need no help.
func (f filters) match(tags map[string]string, attribute func(name string) (values []string, known bool)) (bool, error) {
	matched := true
	for _, one := range f {
		values, known := tagValues(one.name, tags)
		if !known {
			values, known = attribute(one.name)
		}
		if !known {
			return false, faultf("InvalidParameterValue", "The filter '%s' is invalid", one.name)
		}
		if !one.matches(values) {
			matched = false
		}
	}
	return matched, nil
}

func tagValues(name string, tags map[string]string) ([]string, bool) {
	if key, found := strings.CutPrefix(name, "tag:"); found {
		if value, has := tags[key]; has {
			return []string{value}, true
		}
		return nil, true
	}
	if name != "tag-key" {
		return nil, false
	}
	var keys []string
	for key := range tags {
		keys = append(keys, key)
	}
	return keys, true
}

func (f filter) matches(values []string) bool {
	return slices.ContainsFunc(f.values, func(pattern string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return wildcard(pattern, value) })
	})
}

// wildcard is AWS's: * for any run, ? for one character, \ before either of
// them for itself.
func wildcard(pattern, text string) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(text); i++ {
				if wildcard(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		default:
			if pattern[0] == '\\' && len(pattern) > 1 {
				pattern = pattern[1:]
			}
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// tags are those that TagSpecification.N gives to one type of resource. A
// specification for a type that the action never asks for stays unread.
func (r *request) tags(resourceType string) map[string]string {
	tags := map[string]string{}
	for _, spec := range r.each("TagSpecification") {
		if r.form.Get(spec.prefix+"ResourceType") != resourceType {
			continue
		}
		spec.text("ResourceType")
		for key, value := range spec.tagList("Tag") {
			tags[key] = value
		}
	}
	return tags
}

// tagList reads Name.N.Key and Name.N.Value, with AWS's rules for tags.
func (r *request) tagList(name string) map[string]string {
	tags := map[string]string{}
	for _, item := range r.each(name) {
		key, value := item.text("Key"), item.text("Value")
		_, twice := tags[key]
		switch {
		case key == "":
			r.problem(faultf("InvalidParameterValue", "Tag key cannot be null or empty"))
		case len(key) > 128:
			r.problem(faultf("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters"))
		case len(value) > 256:
			r.problem(faultf("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters"))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			r.problem(faultf("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"))
		case twice:
			r.problem(faultf("InvalidParameterValue", "Duplicate tag key '%s' specified.", key))
		}
		tags[key] = value
	}
	if len(tags) > 50 {
		r.problem(faultf("TagLimitExceeded", "The maximum number of tags is 50, %d were given", len(tags)))
	}
	return tags
}

// paginate cuts a sorted answer by MaxResults and NextToken.
func paginate[T any](r *request, all []T) (page []T, nextToken string, err error) {
	size, token := r.number("MaxResults"), r.text("NextToken")
	if size == nil {
		size = new(len(all))
	} else if *size < 1 || *size > 1000 {
		return nil, "", badValue("maxResults", strconv.Itoa(*size), "Expecting a value between 1 and 1000.")
	}
	return pageOf(all, *size, token)
}

// pageOf is a page of a sorted answer, and the token of the one behind it.
func pageOf[T any](all []T, size int, token string) (page []T, nextToken string, err error) {
	start := 0
	if token != "" {
		if start, err = pageStart(token, len(all)); err != nil {
			return nil, "", err
		}
	}
	end := min(start+size, len(all))
	if end < len(all) {
		nextToken = base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "page %d", end))
	}
	return all[start:end], nextToken, nil
}

func pageStart(token string, total int) (int, error) {
	var start int
	text, err := base64.URLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "page %d", &start)
	}
	if err != nil || start < 0 {
		return 0, faultf("InvalidNextToken", "The token '%s' is invalid", token)
	}
	return min(start, total), nil
}
