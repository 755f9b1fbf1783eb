package main

import (
	"fmt"
	"slices"
)

// spread is the median of some values, and the least and the greatest.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	mid := len(v) / 2
	median := v[mid]
	if len(v)%2 == 0 {
		median = (v[mid-1] + v[mid]) / 2
	}
	return spread{median, v[0], v[len(v)-1]}
}

// ratioText is a ratio with its spread.
func ratioText(s spread) string { return fmt.Sprintf("%.2f (%.2f..%.2f)", s.Median, s.Min, s.Max) }

// pick returns one value of every sample.
func pick(samples []sample, value func(sample) float64) []float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, value(s))
	}
	return all
}

func middle(samples []sample, value func(sample) float64) float64 {
	return spreadOf(pick(samples, value)).Median
}

// The values of a sample that are picked.
func seconds(s sample) float64    { return s.Seconds }
func wall(s sample) float64       { return s.Wall }
func uploadOnly(s sample) float64 { return s.Upload }
func largest(s sample) float64    { return float64(s.Largest) }

// quotients divides turn by turn, so that a computer that drifts does not move them.
func quotients(ours, theirs []float64) []float64 {
	var all []float64
	for i := range min(len(ours), len(theirs)) {
		all = append(all, ours[i]/theirs[i])
	}
	return all
}

// ratios are of the seconds.
func ratios(ours, theirs []sample) []float64 {
	return quotients(pick(ours, seconds), pick(theirs, seconds))
}

// brief shows seconds to the hundredth, or to the thousandth where there are few.
func brief(seconds float64) string {
	if seconds < 0.1 {
		return fmt.Sprintf("%.3f", seconds)
	}
	return fmt.Sprintf("%.2f", seconds)
}

// digits shows two of them, or more before the point.
func digits(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func mib(bytes float64) float64 { return bytes / (1 << 20) }
