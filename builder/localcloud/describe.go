package localcloud

import "strconv"

// attributes are the filters that a kind of resource has, besides those by tag.
type attributes[T any] map[string]func(T) []string

// choose is the items that the filters let through. A filter that the
// kind does not have is refused even when there is no item to try it on.
func choose[T any](f filters, all []T, tags func(T) map[string]string, known attributes[T]) ([]T, error) {
	_, err := f.match(nil, func(name string) ([]string, bool) { return nil, known[name] != nil })
	if err != nil {
		return nil, err
	}
	var chosen []T
	for _, item := range all {
		matched, err := f.match(tags(item), func(name string) ([]string, bool) { return known[name](item), true })
		if err != nil {
			return nil, err
		}
		if matched {
			chosen = append(chosen, item)
		}
	}
	return chosen, nil
}

// describe is the end of a Describe action: what the filters let through, one
// page of it.
func describe[T any](r *request, all []T, tags func(T) map[string]string, known attributes[T]) (page []T, next string, err error) {
	chosen, err := choose(r.filters(), all, tags, known)
	if err != nil {
		return nil, "", err
	}
	if page, next, err = paginate(r, chosen); err != nil {
		return nil, "", err
	}
	return page, next, r.dryRun()
}

// describeAll is describe for the actions that have no pages.
func describeAll[T any](r *request, all []T, tags func(T) map[string]string, known attributes[T]) ([]T, error) {
	chosen, err := choose(r.filters(), all, tags, known)
	if err != nil {
		return nil, err
	}
	return chosen, r.dryRun()
}

// inRegion is the resources of a region, in the order of their keys.
func inRegion[T any](all map[string]T, region string, regionOf func(T) string) []T {
	var here []T
	for _, key := range sortedKeys(all) {
		if regionOf(all[key]) == region {
			here = append(here, all[key])
		}
	}
	return here
}

// untagged is for what has no tags.
func untagged[T any](T) map[string]string { return nil }

// one is the value of an attribute that has one; none when it is empty.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func yesNo(b bool) []string { return []string{strconv.FormatBool(b)} }

func digits(n int) []string { return []string{strconv.Itoa(n)} }

// fixed is an attribute that every resource of a kind has the same.
func fixed[T any](value string) func(T) []string {
	return func(T) []string { return []string{value} }
}
