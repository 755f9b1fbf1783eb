package localcloud

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// ownPath is where imago's own calls are, beside those of AWS.
const ownPath = "/imago/"

// serveOwn answers imago's own calls.
func (c *Cloud) serveOwn(w http.ResponseWriter, r *http.Request, body []byte) {
	rest := strings.TrimPrefix(r.URL.Path, ownPath)
	id, single := strings.CutPrefix(rest, "images/")
	switch {
	case r.Method == http.MethodGet && rest == "images":
		writeJSON(w, c.images())
	case r.Method == http.MethodPost && rest == "images":
		c.serveAddImage(w, r, body)
	case r.Method == http.MethodPost && rest == "catalogue":
		c.serveAddCatalogue(w, r, body)
	case r.Method == http.MethodDelete && single:
		if err := c.removeImage(id); err != nil {
			refuse(w, r, "", "", faultOf(err))
			return
		}
		writeJSON(w, struct{}{})
	case rest == "faults" && slices.Contains([]string{http.MethodGet, http.MethodPut, http.MethodDelete}, r.Method):
		c.serveFaults(w, r, body)
	case r.Method == http.MethodPost && rest == "shutdown":
		c.log.Info("asked to shut down")
		writeJSON(w, struct{}{})
		c.shutOnce.Do(func() { close(c.shutdown) })
	default:
		refuse(w, r, "", "", faultf("InvalidAction", "The local cloud has no %s %s.", r.Method, r.URL.Path))
	}
}

// progressLine is a line of the answer to what takes a while: progress, and at
// the end the image, or that it is done, or what went wrong.
type progressLine struct {
	Progress string     `json:",omitempty"`
	Image    *ImageInfo `json:",omitempty"`
	Done     bool       `json:",omitempty"`
	Error    string     `json:",omitempty"`
}

// progressLines begins such an answer, and returns what says a line of it.
func progressLines(w http.ResponseWriter) func(progressLine) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines, flush := json.NewEncoder(w), http.NewResponseController(w)
	return func(line progressLine) {
		if lines.Encode(line) == nil {
			flush.Flush() //nolint:errcheck // a caller that has gone hears nothing
		}
	}
}

func (c *Cloud) serveAddImage(w http.ResponseWriter, r *http.Request, body []byte) {
	var spec ImageSpec
	if err := json.Unmarshal(body, &spec); err != nil {
		refuse(w, r, "", "", faultf("InvalidParameter", "The body is not an image to add: %v", err))
		return
	}
	say := progressLines(w)
	img, err := c.addImage(r.Context(), spec, func(text string) { say(progressLine{Progress: text}) })
	if err != nil {
		c.log.Warn("an image could not be added", "suite", spec.Suite, "why", err)
		say(progressLine{Error: messageOf(err)})
		return
	}
	say(progressLine{Image: &img})
}

// messageOf is an error for a human: a fault's message without its code.
func messageOf(err error) string {
	if f := faultOf(err); f.Code != "InternalError" {
		return f.Message
	}
	return err.Error()
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the caller has gone; nobody is left to tell
}

// images are all images, of all regions, the oldest first.
func (c *Cloud) images() []ImageInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []ImageInfo{}
	for _, img := range c.state.Images {
		all = append(all, img.info())
	}
	slices.SortFunc(all, func(a, b ImageInfo) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return all
}
