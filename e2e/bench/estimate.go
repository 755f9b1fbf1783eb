package main

import (
	"fmt"
	"time"
)

// How long a bake takes about, without what is uploaded; packer's when it looks
// at the cloud each second.
const (
	imagoBakes  = 3 * time.Second
	packerBakes = 9 * time.Second
)

// Of an upload on the spot, about: what surrounds it, what a file costs, and the
// bytes in a second. A far connection has a window of sshd's 2 MiB.
const (
	uploadAround = time.Second
	uploadFile   = 100 * time.Microsecond
	uploadRate   = 250e6
	sshWindow    = 2 << 20
)

// copying is how long an upload that does not wait for each file takes about.
func (t tree) copying(l link) time.Duration {
	rate := uploadRate
	if l.rtt > 0 {
		rate = min(rate, sshWindow/l.rtt.Seconds())
	}
	if l.mbit > 0 {
		rate = min(rate, float64(l.mbit)*1e6/8)
	}
	return uploadAround + 10*l.rtt + time.Duration(t.files)*uploadFile + time.Duration(float64(t.bytes)/rate*float64(time.Second))
}

// estimate is how long all rows take about, when the computer is quiet.
func estimate(rows []row, n int) time.Duration {
	var once time.Duration
	for _, r := range rows {
		for _, c := range r.entries {
			once += c.takes + time.Second // for the computer to become quiet
		}
	}
	return time.Duration(n) * once
}

// forecast says how long it will take, and what bounds it.
func (b *bench) forecast(rows []row) string {
	return fmt.Sprintf("%d rows, %d turns each: about %v; after %v nothing more is started",
		len(rows), b.n, estimate(rows, b.n).Round(time.Minute), b.limit)
}
