package template

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// satisfies holds a version against a constraint such as ">= 1.7.0, < 2".
func satisfies(version, constraint string) (bool, error) {
	have, err := parseVersion(version)
	if err != nil {
		return false, err
	}
	all := true
	for one := range strings.SplitSeq(constraint, ",") {
		one = strings.TrimSpace(one)
		text := strings.TrimLeft(one, "<>=!~")
		operator := one[:len(one)-len(text)]
		want, err := parseVersion(strings.TrimSpace(text))
		if err != nil {
			return false, fmt.Errorf("%q is not a constraint such as \">= 1.7.0, < 2.0.0\"", constraint)
		}
		ok, err := compareBy(operator, have, want)
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

// compareBy applies one operator. ~> lets the last number that is given grow.
func compareBy(operator string, have, want []int) (bool, error) {
	order := 0
	for i := range 3 {
		order = cmp.Or(order, cmp.Compare(nth(have, i), nth(want, i)))
	}
	switch operator {
	case "", "=":
		return order == 0, nil
	case "!=":
		return order != 0, nil
	case ">":
		return order > 0, nil
	case ">=":
		return order >= 0, nil
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case "~>":
		same := true
		for i := range max(len(want)-1, 1) {
			same = same && nth(have, i) == nth(want, i)
		}
		return same && order >= 0, nil
	}
	return false, fmt.Errorf("there is no operator %q for versions; there are = != > >= < <= ~>", operator)
}

func nth(numbers []int, i int) int {
	if i < len(numbers) {
		return numbers[i]
	}
	return 0
}

// parseVersion reads up to three numbers; what follows a dash or plus sign does not count.
func parseVersion(text string) ([]int, error) {
	text = strings.TrimPrefix(text, "v")
	if i := strings.IndexAny(text, "-+"); i >= 0 {
		text = text[:i]
	}
	var numbers []int
	for s := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not a version such as 1.9.0", text)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}
