package main

import "sync"

// announcer prints the images' ids in the template's order, each as soon as it is
// there and those before it are: nobody has to wait for a machine to go away.
type announcer struct {
	mu      sync.Mutex
	write   func(build int, id string) error
	ids     []string // by build
	over    []bool   // the build brings no image any more
	printed []bool
}

func newAnnouncer(builds int, write func(build int, id string) error) *announcer {
	return &announcer{write: write, ids: make([]string, builds), over: make([]bool, builds), printed: make([]bool, builds)}
}

// ready says that a build has its image.
func (a *announcer) ready(build int, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[build] = id
	a.print()
}

// end says that a build is over, with an image or without one.
func (a *announcer) end(build int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over[build] = true
	a.print()
}

// print prints what can be printed now. What cannot be written is left to the report, which says why.
func (a *announcer) print() {
	for i, id := range a.ids {
		switch {
		case a.printed[i]:
		case id != "":
			if a.write(i, id) != nil {
				return
			}
			a.printed[i] = true
		case !a.over[i]:
			return
		}
	}
}

// done says whether a build's id is out.
func (a *announcer) done(build int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.printed[build]
}
