package localcloud

import (
	"context"
	"io"
	"net/http"
)

// Faults are the fault rules of the cloud, and what they have done.
func (c *Client) Faults(ctx context.Context) ([]FaultCount, error) {
	var all []FaultCount
	return all, c.call(ctx, http.MethodGet, "faults", &all)
}

// SetFaults replaces the fault rules by those of a fault file (ParseFaults),
// which count from here on. What is unknown becomes known; machines keep what
// is wrong with them.
func (c *Client) SetFaults(ctx context.Context, file []byte) error {
	return c.change(ctx, http.MethodPut, file)
}

// ClearFaults takes all fault rules away, as SetFaults does.
func (c *Client) ClearFaults(ctx context.Context) error {
	return c.change(ctx, http.MethodDelete, nil)
}

func (c *Client) change(ctx context.Context, method string, file []byte) error {
	answer, err := c.send(ctx, method, "faults", file)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer)
	answer.Close() //nolint:errcheck // read to its end
	return err
}

// serveFaults answers the client's calls about fault rules.
func (c *Cloud) serveFaults(w http.ResponseWriter, r *http.Request, body []byte) {
	switch r.Method {
	case http.MethodPut:
		f, err := ParseFaults(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.setFaults(f)
	case http.MethodDelete:
		c.setFaults(Faults{})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	writeJSON(w, c.faults.counts())
}

func (c *Cloud) setFaults(f Faults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = newFaultRules(f)
	c.unknown = newUnknown()
	c.log.Info("fault rules set", "rules", len(f.Rules))
}
