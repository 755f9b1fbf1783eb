package load_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/e2e/load"
)

// TestCounts: every request is counted once, by its kind and by how it ended.
func TestCounts(t *testing.T) {
	var n atomic.Int64
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(load.ImageHeader, "ami-1")
		if r.URL.Path == "/" && n.Add(1) == 3 {
			w.WriteHeader(502)
		}
		if r.URL.Path == "/count" {
			fmt.Fprint(w, "something else")
		}
	}))
	defer h.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r := load.Run(ctx, load.Config{URL: h.URL, Rate: 200, New: 0.2, Post: 0.1, WebSockets: 1})
	kinds := map[string]bool{}
	for kind, c := range r.Kinds {
		kinds[kind] = c.Requests > 0
		if all := kind == load.Post || kind == load.WebSocket; all != (c.Failed == c.Requests) {
			t.Errorf("%s: %+v", kind, c)
		}
	}
	if diff := cmp.Diff(map[string]bool{load.KeepAlive: true, load.New: true, load.Post: true, load.WebSocket: true}, kinds); diff != "" {
		t.Error(diff)
	}
	gets := r.Kinds[load.KeepAlive].Requests + r.Kinds[load.New].Requests
	if r.Kinds[load.KeepAlive].Failed+r.Kinds[load.New].Failed != 1 || r.Images["ami-1"] != gets-1 || int(n.Load()) != gets {
		text, _ := json.Marshal(r)
		t.Errorf("%s after %d requests", text, n.Load())
	}
}
