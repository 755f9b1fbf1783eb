package localcloud

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tokenLife is how long a client token is remembered.
const tokenLife = time.Hour

// serveQuery answers a call of the Query protocol: EC2's, or that of the others.
func (c *Cloud) serveQuery(w http.ResponseWriter, r *http.Request, s scope, body []byte) {
	id := w.Header().Get("X-Amzn-Requestid")
	form, err := formOf(r, body)
	if err != nil {
		refuse(w, r, s.service, id, faultOf(err))
		return
	}
	call := newRequest(r.Context(), s.region, form)
	if s.service == "ec2" {
		c.withFaults(w, r, s.service, call, func(w http.ResponseWriter) { c.serveEC2(w, call) })
		return
	}
	service, found := queryServiceNamed(s.service)
	if !found {
		refuse(w, r, s.service, id, faultf("InvalidAction",
			"The local cloud has no service '%s'; it has autoscaling, ec2, elasticloadbalancing, route53, ssm and sts.", s.service))
		return
	}
	c.withFaults(w, r, s.service, call, func(w http.ResponseWriter) { service.serve(c, w, call) })
}

func (c *Cloud) serveEC2(w http.ResponseWriter, call *request) {
	id := w.Header().Get("X-Amzn-Requestid")
	answer, err := c.perform(call, ec2Actions())
	c.logCall(call, err)
	if err != nil {
		respondFault(w, id, faultOf(err))
		return
	}
	writeXML(w, http.StatusOK, wrapAnswer(call.action, id, answer))
}

func (c *Cloud) logCall(r *request, err error) {
	if err != nil {
		c.log.Info("call", "action", r.action, "region", r.region, "fault", err)
		return
	}
	c.log.Debug("call", "action", r.action, "region", r.region)
}

// maxParameters bounds a call; the longest that makes sense has a thousand ids.
const maxParameters = 5000

// formOf joins the parameters of the address and of the body.
func formOf(r *http.Request, body []byte) (url.Values, error) {
	if n := strings.Count(r.URL.RawQuery, "&") + bytes.Count(body, []byte("&")); n >= maxParameters {
		return nil, faultf("MalformedQueryString", "The request has %d parameters, and the local cloud reads no more than %d", n+1, maxParameters)
	}
	form := r.URL.Query()
	if len(body) == 0 {
		return form, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, faultf("InvalidParameter", "The body must be application/x-www-form-urlencoded, not '%s'",
			r.Header.Get("Content-Type"))
	}
	posted, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, faultf("MalformedQueryString", "The body cannot be read: %v", err)
	}
	maps.Copy(form, posted)
	return form, nil
}

// perform runs one of the actions and returns the XML of its answer's fields.
func (c *Cloud) perform(r *request, actions map[string]handler) ([]byte, error) {
	if r.action == "" {
		return nil, faultf("MissingAction", "The request must contain the parameter Action")
	}
	do := actions[r.action]
	if do == nil {
		return nil, faultf("InvalidAction", "The action %s is not valid for this web service.", r.action)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.once(r, rehearsed(do))
}

// once runs an action, or repeats the answer that the same client token had,
// and saves what it changed. The caller holds c.mu.
func (c *Cloud) once(r *request, do handler) ([]byte, error) {
	key, hash := tokenOf(r)
	if earlier, used := c.state.Tokens[key]; used {
		if earlier.Hash != hash {
			return nil, faultf("IdempotentParameterMismatch",
				"Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
		}
		return []byte(earlier.Answer), nil
	}
	answer, err := c.run(r, do)
	if err != nil || readOnly(r.action) {
		return answer, err
	}
	c.rememberToken(key, token{Hash: hash, Answer: string(answer), At: c.now()})
	return answer, c.save()
}

func (c *Cloud) run(r *request, do handler) ([]byte, error) {
	answer, err := do(c, r)
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil { // a reading action leaves this to us
		return nil, err
	}
	return elements(answer)
}

func readOnly(action string) bool {
	return strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get")
}

// token is a client token that was used, and what came of it.
type token struct {
	Hash   string
	Answer string
	At     time.Time
}

// tokenActions take a client token.
func tokenActions() []string {
	return []string{
		"RunInstances", "CopyImage", "CreateVolume",
		"CreateLaunchTemplate", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "CreateRouteTable",
	}
}

// tokenOf is the place of a call's client token in the state, "" when it has
// none, and the hash of everything else in the call.
func tokenOf(r *request) (key, hash string) {
	if !slices.Contains(tokenActions(), r.action) {
		return "", ""
	}
	text := r.text("ClientToken")
	if text == "" || strings.EqualFold(r.form.Get("DryRun"), "true") {
		return "", ""
	}
	rest := maps.Clone(r.form)
	delete(rest, "ClientToken")
	sum := sha256.Sum256([]byte(rest.Encode()))
	return strings.Join([]string{r.region, r.action, text}, "/"), hex.EncodeToString(sum[:])
}

func (c *Cloud) rememberToken(key string, t token) {
	maps.DeleteFunc(c.state.Tokens, func(_ string, old token) bool { return c.now().Sub(old.At) > tokenLife })
	if key != "" {
		c.state.Tokens[key] = t
	}
}
