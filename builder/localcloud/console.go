package localcloud

import (
	"encoding/base64"
	"time"
)

// getConsoleOutput is what the machine wrote to its console, the last 64 KiB.
func getConsoleOutput(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	r.boolean("Latest") // it always is
	if err := r.bad(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	var answer struct {
		InstanceID string `xml:"instanceId"`
		Timestamp  string `xml:"timestamp"`
		Output     string `xml:"output,omitempty"`
	}
	answer.InstanceID, answer.Timestamp = inst.ID, c.now().UTC().Format(time.RFC3339)
	if !inst.Started || inst.State == terminated {
		return answer, nil
	}
	output, err := c.machines.Console(inst.ID)
	if err != nil {
		return nil, err
	}
	answer.Output = base64.StdEncoding.EncodeToString(output)
	return answer, nil
}

// getPasswordData is for Windows; there is none here.
func getPasswordData(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	if err := r.bad(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	return nil, faultf("OperationNotPermitted", "The instance '%s' runs Linux: it has no password data. Connect with its key pair.", inst.ID)
}
