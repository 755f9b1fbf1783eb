package main

import (
	"cmp"
	"os"
	"time"

	"github.com/imagobuild/imago/builder"
)

// holder is who bakes or releases here, as those who wait for it see it: such as ann@laptop.
func holder() string {
	host, _ := os.Hostname() // for people only
	if user := cmp.Or(os.Getenv("USER"), os.Getenv("LOGNAME")); user != "" {
		return user + "@" + host
	}
	return host
}

// waitingFor says whom a build waits for, and how far that one is.
func waitingFor(e builder.Waiting, now time.Time) string {
	text := "another build bakes this image: " + e.Build
	if e.Holder != "" {
		text += " by " + e.Holder
	}
	if e.Instance != "" {
		text += ", instance " + e.Instance
	}
	if e.Image != "" {
		text += ", image " + e.Image
	}
	if d := now.Sub(e.Since); !e.Since.IsZero() && d > 0 { // by AWS's clock, which may be ahead
		text += ", since " + took(d)
	}
	return text + "; waiting for it"
}
