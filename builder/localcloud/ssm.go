package localcloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	getParameter       = "GetParameter"
	getParameterTarget = "AmazonSSM." + getParameter
)

// serveSSM answers GetParameter for the public parameters that name an image:
// those of the bases the cloud has.
func (c *Cloud) serveSSM(w http.ResponseWriter, region string, r *http.Request, body []byte) {
	if target := r.Header.Get("X-Amz-Target"); target != getParameterTarget {
		refuseJSON(w, faultf("UnknownOperationException", "The local cloud has no %q; of SSM it has GetParameter.", target))
		return
	}
	call := newRequest(r.Context(), region, url.Values{"Action": {getParameter}})
	c.withFaults(w, r, "ssm", call, func(w http.ResponseWriter) { c.answerParameter(w, region, body) })
}

func (c *Cloud) answerParameter(w http.ResponseWriter, region string, body []byte) {
	answer, err := c.parameter(region, body)
	if err != nil {
		refuseJSON(w, faultOf(err))
		return
	}
	text, err := json.Marshal(answer)
	if err != nil {
		refuseJSON(w, faultOf(err))
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Write(text) //nolint:errcheck // the caller has gone; nobody is left to tell
}

type parameterAnswer struct {
	Parameter struct {
		ARN              string
		DataType         string
		LastModifiedDate float64 // seconds since 1970
		Name             string
		Type             string
		Value            string
		Version          int
	}
}

func (c *Cloud) parameter(region string, body []byte) (parameterAnswer, error) {
	var answer parameterAnswer
	var asked struct {
		Name           string
		WithDecryption bool
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return answer, faultf("SerializationException", "The request cannot be read: %v", err)
	}
	if asked.Name == "" {
		return answer, faultf("ValidationException", "The request must contain the parameter Name")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if value, ok := c.state.Parameters[region+"/"+asked.Name]; ok {
		p := &answer.Parameter
		p.ARN = arn("ssm", region, "parameter/"+strings.TrimPrefix(asked.Name, "/"))
		p.DataType, p.Type, p.Version, p.Name, p.Value = "text", "String", 1, asked.Name, value
		return answer, nil
	}
	img := c.newestBase(suiteOfParameter(asked.Name))
	if img == nil {
		return answer, faultf("ParameterNotFound", "The parameter %s is not there; the local cloud has those of its bases, "+
			"such as /aws/service/debian/release/12/latest/amd64 after: imago local image add debian-12", asked.Name)
	}
	p := &answer.Parameter
	p.ARN = fmt.Sprintf("arn:aws:ssm:%s::parameter%s", region, asked.Name)
	p.DataType, p.Type, p.Version = "aws:ec2:image", "String", 1
	p.LastModifiedDate = float64(img.Created.UnixNano()) / float64(time.Second)
	p.Name, p.Value = asked.Name, img.ID
	return answer, nil
}

// suiteOfParameter is the base that a public parameter of Debian or Canonical
// names; "" when it names none.
func suiteOfParameter(name string) string {
	path := strings.Split(strings.TrimPrefix(name, "/aws/service/"), "/")
	switch {
	case len(path) == 5 && path[0] == "debian" && path[3] == "latest" && path[4] == "amd64" &&
		(path[1] == "release" || path[1] == "daily"):
		return "debian-" + path[2]
	case len(path) == 10 && strings.HasPrefix(name, "/aws/service/canonical/ubuntu/server/") &&
		strings.HasPrefix(strings.Join(path[4:], "/"), "stable/current/amd64/hvm/"):
		return "ubuntu-" + path[3]
	}
	return ""
}
