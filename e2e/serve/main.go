// Serve is the application of the deploy tests: it answers as the load generator
// expects, or as badly as a file says.
//
//	serve ADDRESS FILE
//
// FILE is JSON:
//
//	mode     what is wrong: "", "crash", "500", "400", "slow", "wrong", "half" (one of
//	         two zones answers 500), "dies"
//	after    seconds until it is well (slow) or ends (dies)
//	version  what it says at /version
//
// It names its image, which it asks the metadata service for, in X-Imago-Image.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type settings struct {
	Mode    string `json:"mode"`
	After   float64
	Version string
}

type app struct {
	settings
	image string
	begun time.Time

	mu    sync.Mutex
	posts map[string]int
	conns map[net.Conn]bool // the WebSockets
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal("serve: ", err)
	}
}

func run(addr, path string) error {
	a := &app{begun: time.Now(), posts: map[string]int{}, conns: map[net.Conn]bool{}}
	text, err := os.ReadFile(path)
	if err := errors.Join(err, json.Unmarshal(text, &a.settings)); err != nil {
		return err
	}
	if a.image, err = metadata("ami-id"); err != nil {
		return err
	}
	after := time.Duration(a.After * float64(time.Second))
	switch a.Mode {
	case "crash":
		return errors.New("cannot find module 'left-pad'")
	case "wrong":
		a.image = "ami-00000000000000000"
	case "half":
		zone, err := metadata("placement/availability-zone")
		if err != nil {
			return err
		}
		if strings.HasSuffix(zone, "a") {
			a.Mode = "500"
		}
	case "dies":
		time.AfterFunc(after, func() { log.Fatal("serve: out of memory") })
	}
	log.Printf("version %q of image %s", a.Version, a.image)
	return a.serve(addr)
}

// serve ends in good order when it is asked to.
func (a *app) serve(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: addr, Handler: a, IdleTimeout: 75 * time.Second} // longer than the load balancer keeps connections
	done := make(chan error, 1)
	go func() { done <- server.ListenAndServe() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	a.closeAll()
	limited, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	return server.Shutdown(limited)
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Imago-Image", a.image)
	switch slow := a.Mode == "slow" && time.Since(a.begun).Seconds() < a.After; {
	case a.Mode == "500" || slow:
		log.Print("no connection to the database")
		http.Error(w, "no connection to the database at 10.0.0.5:5432", http.StatusInternalServerError)
		return
	case a.Mode == "400":
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/version":
		io.WriteString(w, a.Version)
	case "/slow":
		a.slowly(w, r)
	case "/count":
		a.count(w, r)
	case "/ws":
		a.webSocket(w)
	default:
		io.WriteString(w, "ok\n")
	}
}

// slowly writes a piece of the answer each half second.
func (a *app) slowly(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		io.WriteString(w, ".")
		w.(http.Flusher).Flush()
		time.Sleep(min(500*time.Millisecond, time.Until(end)))
	}
}

// count sends a text back, and how often it has come.
func (a *app) count(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<10))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.posts[string(text)]++
	n := a.posts[string(text)]
	a.mu.Unlock()
	fmt.Fprintf(w, "%s %d", text, n)
}

// webSocket says what it hears, until either side closes.
func (a *app) webSocket(w http.ResponseWriter) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Imago-Image: %s\r\n"+
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", a.image)
	a.mu.Lock()
	a.conns[conn] = true
	a.mu.Unlock()
	defer func() { a.mu.Lock(); delete(a.conns, conn); a.mu.Unlock() }()
	for a.answer(conn, buf.Reader) == nil {
	}
}

// answer reads a short masked frame and sends its text back.
func (a *app) answer(conn net.Conn, in *bufio.Reader) error {
	var head [6]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return err
	}
	payload := make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(in, payload); err != nil {
		return err
	}
	for i := range payload {
		payload[i] ^= head[2+i%4]
	}
	if _, err := conn.Write(append([]byte{head[0], byte(len(payload))}, payload...)); err != nil || head[0]&0x0f == 8 {
		return errors.Join(err, io.EOF)
	}
	return nil
}

// closeAll tells all WebSockets that it is over.
func (a *app) closeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for conn := range a.conns {
		conn.Write([]byte{0x88, 2, 0x03, 0xe9}) //nolint:errcheck // going away; who does not hear it sees the end
	}
}

// metadata is what the metadata service says of this machine.
func metadata(name string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second}
	const service = "http://169.254.169.254/latest/"
	req, err := http.NewRequest(http.MethodPut, service+"api/token", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	token, err := read(client.Do(req))
	if err != nil {
		return "", err
	}
	if req, err = http.NewRequest(http.MethodGet, service+"meta-data/"+name, nil); err != nil {
		return "", err
	}
	req.Header.Set("X-Aws-Ec2-Metadata-Token", token)
	return read(client.Do(req))
}

func read(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Request.URL, resp.Status)
	}
	return string(text), err
}
