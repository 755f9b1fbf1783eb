package balancer

import (
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Rule is what a listener does with the requests that all its conditions hold for.
type Rule struct {
	Conditions []Condition
	Action     Action
}

// Condition holds for a request when one of its values does. Values may have * and ?.
type Condition struct {
	Field  string // path-pattern, host-header, http-header, http-request-method or query-string
	Header string // of http-header
	Values []string
	// Pairs are what query-string looks for; an empty key is any.
	Pairs []Pair
}

// Pair is a key and a value of a query string.
type Pair struct{ Key, Value string }

// Action is one of: pass on, answer, send elsewhere.
type Action struct {
	Forward []Weighted
	Fixed   *Fixed
	// Redirect is where to; the placeholders of AWS are filled in by it.
	Redirect *Redirect
}

// Weighted is a group and its share of the requests, 0 to 999.
type Weighted struct {
	Group  *Group
	Weight int
}

// Fixed is an answer of the load balancer's own.
type Fixed struct {
	Status      int
	ContentType string
	Body        string
}

// Redirect sends a client elsewhere. What is empty is as in the request; #{host},
// #{path}, #{port}, #{protocol} and #{query} stand for what was asked.
type Redirect struct {
	Status                            int
	Protocol, Host, Port, Path, Query string
}

// choose draws a group by weight. It is nil when all weights are 0.
func (a Action) choose() *Group {
	if len(a.Forward) == 1 && a.Forward[0].Weight > 0 {
		return a.Forward[0].Group
	}
	sum := 0
	for _, w := range a.Forward {
		sum += w.Weight
	}
	if sum == 0 {
		return nil
	}
	at := rand.IntN(sum)
	for _, w := range a.Forward {
		if at < w.Weight {
			return w.Group
		}
		at -= w.Weight
	}
	return nil
}

// holds says whether all conditions do.
func (r Rule) holds(req *http.Request) bool {
	return !slices.ContainsFunc(r.Conditions, func(c Condition) bool { return !c.holds(req) })
}

func (c Condition) holds(req *http.Request) bool {
	switch c.Field {
	case "path-pattern":
		return c.anyLike(req.URL.Path)
	case "host-header":
		host := req.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		return slices.ContainsFunc(c.Values, func(v string) bool { return like(strings.ToLower(v), strings.ToLower(host)) })
	case "http-header":
		return slices.ContainsFunc(req.Header.Values(c.Header), func(value string) bool {
			return slices.ContainsFunc(c.Values, func(v string) bool { return like(strings.ToLower(v), strings.ToLower(value)) })
		})
	case "http-request-method":
		return slices.Contains(c.Values, req.Method)
	case "query-string":
		return c.holdsQuery(req)
	}
	return false
}

func (c Condition) holdsQuery(req *http.Request) bool {
	for key, values := range req.URL.Query() {
		for _, value := range values {
			for _, p := range c.Pairs {
				if (p.Key == "" || like(p.Key, key)) && like(p.Value, value) {
					return true
				}
			}
		}
	}
	return false
}

func (c Condition) anyLike(text string) bool {
	return slices.ContainsFunc(c.Values, func(v string) bool { return like(v, text) })
}

// like matches a whole text; * is any number of characters, ? is one.
func like(pattern, text string) bool {
	for i := range len(pattern) {
		switch {
		case pattern[i] == '*':
			rest := strings.TrimLeft(pattern[i:], "*")
			for j := i; j <= len(text); j++ {
				if like(rest, text[j:]) {
					return true
				}
			}
			return false
		case i >= len(text) || pattern[i] != '?' && pattern[i] != text[i]:
			return false
		}
	}
	return len(pattern) == len(text)
}
