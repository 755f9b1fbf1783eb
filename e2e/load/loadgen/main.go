// Loadgen asks a web application at a fixed rate until it is interrupted or its
// time is over, and prints what came of it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/imagobuild/imago/e2e/load"
)

func main() {
	var c load.Config
	flag.StringVar(&c.URL, "url", "", "the application, such as http://127.80.1.2")
	flag.StringVar(&c.Path, "path", "/", "what GET requests ask for")
	flag.Float64Var(&c.Rate, "rate", 100, "requests that begin in a second")
	flag.Float64Var(&c.New, "new", 0.2, "share of the requests that are on a connection of their own")
	flag.Float64Var(&c.Post, "post", 0, "share of the requests that are POST /count")
	flag.IntVar(&c.Slow, "slow", 0, "slow answers under way all the time")
	flag.DurationVar(&c.SlowFor, "slow-for", 30*time.Second, "how long a slow answer takes")
	flag.IntVar(&c.WebSockets, "websockets", 0, "WebSockets open all the time")
	most := flag.Duration("for", 10*time.Minute, "when to end")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	if c.URL == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "loadgen: it takes flags only, and needs -url")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *most)
	defer cancel()
	report := load.Run(ctx, c)
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(report) //nolint:errcheck // nobody is left to tell
	} else {
		fmt.Print(report)
	}
	if report.Failed() > 0 {
		os.Exit(1)
	}
}
