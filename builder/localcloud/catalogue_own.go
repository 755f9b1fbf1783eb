package localcloud

import (
	"context"
	"net/http"
)

// AddCatalogue makes the cloud answer for what is in a catalogue's file
// (ParseCatalogue). progress receives a line for each step; it may be nil.
func (c *Client) AddCatalogue(ctx context.Context, file []byte, progress func(string)) error {
	_, err := c.follow(ctx, "catalogue", file, progress)
	return err
}

func (c *Cloud) serveAddCatalogue(w http.ResponseWriter, r *http.Request, body []byte) {
	all, err := ParseCatalogue(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	say := progressLines(w)
	if err := c.addCatalogue(r.Context(), all, func(text string) { say(progressLine{Progress: text}) }); err != nil {
		c.log.Warn("a catalogue could not be added", "why", err)
		say(progressLine{Error: messageOf(err)})
		return
	}
	say(progressLine{Done: true})
}
