package load

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report is what came of it.
type Report struct {
	Began time.Time     `json:"began"`
	Took  time.Duration `json:"took_ns"`
	// Kinds are the counts of each kind of request.
	Kinds map[string]Count `json:"kinds"`
	// Images counts the good answers of each image that named itself.
	Images map[string]int `json:"images,omitempty"`
	// Failures counts each kind of failure.
	Failures map[string]int `json:"failures,omitempty"`

	mu        sync.Mutex
	latencies []sample
	answered  map[string]time.Time // the last good answer of each image
}

// Count is how many requests of a kind there were, and how many of them failed.
type Count struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
}

// sample is one good answer of a quick kind.
type sample struct {
	at, took time.Duration // since the beginning, and how long it took
}

func newReport() *Report {
	return &Report{Began: time.Now(), Kinds: map[string]Count{}, Images: map[string]int{}, Failures: map[string]int{}, answered: map[string]time.Time{}}
}

func (r *Report) failed(kind string, err error) { r.add(kind, "", 0, err) }

func (r *Report) add(kind, by string, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.Kinds[kind]
	c.Requests++
	now := time.Now()
	if err != nil {
		c.Failed++
		r.Failures[kind+": "+short(err)]++
	} else if by != "" {
		r.Images[by]++
		r.answered[by] = now
	}
	r.Kinds[kind] = c
	if err == nil && kind != Slow && kind != WebSocket {
		r.latencies = append(r.latencies, sample{now.Add(-took).Sub(r.Began), took})
	}
}

// short is an error without the address, which would make each another one.
func short(err error) string {
	if inner := new(url.Error); errors.As(err, &inner) {
		err = inner.Err
	}
	return err.Error()
}

func (r *Report) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Took = time.Since(r.Began)
}

// Requests is how many there were of all kinds, and Failed how many of them failed.
func (r *Report) Requests() (n int) { return r.sum(func(c Count) int { return c.Requests }) }

// Failed is how many requests of all kinds failed.
func (r *Report) Failed() (n int) { return r.sum(func(c Count) int { return c.Failed }) }

func (r *Report) sum(of func(Count) int) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.Kinds {
		n += of(c)
	}
	return n
}

// LastBy is when an image gave its last good answer; zero when it never did.
func (r *Report) LastBy(image string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answered[image]
}

// Quantile is how long the answers took at most that began in a span of time, the
// slowest left out: 0.99 leaves out one in a hundred. It is 0 when there was none.
func (r *Report) Quantile(q float64, from, to time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []time.Duration
	for _, s := range r.latencies {
		if at := r.Began.Add(s.at); !at.Before(from) && at.Before(to) {
			all = append(all, s.took)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// String is the report for people.
func (r *Report) String() string {
	end := time.Now().Add(time.Hour)
	p50, p99 := r.Quantile(0.5, r.Began, end), r.Quantile(0.99, r.Began, end)
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	total := Count{}
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		c := r.Kinds[kind]
		total.Requests, total.Failed = total.Requests+c.Requests, total.Failed+c.Failed
		fmt.Fprintf(&b, "  %-16s %8d requests %6d failed\n", kind, c.Requests, c.Failed)
	}
	fmt.Fprintf(&b, "  %-16s %8d requests %6d failed in %s; p50 %s, p99 %s\n", "all", total.Requests, total.Failed,
		r.Took.Round(time.Second), p50.Round(100*time.Microsecond), p99.Round(100*time.Microsecond))
	for _, image := range slices.Sorted(maps.Keys(r.Images)) {
		fmt.Fprintf(&b, "  answered by %s: %d\n", image, r.Images[image])
	}
	for _, failure := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(&b, "  failed %d times: %s\n", r.Failures[failure], failure)
	}
	return b.String()
}
