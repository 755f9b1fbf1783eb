package localcloud

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
)

// queryService is a service of the AWS Query protocol. (EC2's is a dialect of
// its own.)
type queryService struct {
	name      string // in the scope of a signature
	namespace string
	actions   func() map[string]handler
}

func queryServices() []queryService {
	return []queryService{
		{"autoscaling", "http://autoscaling.amazonaws.com/doc/2011-01-01/", scalingActions},
		{"elasticloadbalancing", elbNamespace, elbActions},
		{"sts", "https://sts.amazonaws.com/doc/2011-06-15/", stsActions},
	}
}

func queryServiceNamed(name string) (queryService, bool) {
	all := queryServices()
	at := slices.IndexFunc(all, func(s queryService) bool { return s.name == name })
	if at < 0 {
		return queryService{}, false
	}
	return all[at], true
}

// serve answers a call of the service.
func (s queryService) serve(c *Cloud, w http.ResponseWriter, call *request) {
	id := w.Header().Get("X-Amzn-Requestid")
	answer, err := c.perform(call, s.actions())
	c.logCall(call, err)
	if err != nil {
		s.refuse(w, id, faultOf(err))
		return
	}
	writeXML(w, http.StatusOK, wrapResult(s.namespace, call.action, id, answer))
}

// wrapResult is <ActionResponse><ActionResult> around the fields of an answer.
func wrapResult(namespace, action, requestID string, fields []byte) []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	fmt.Fprintf(&out, "<%[1]sResponse xmlns=%[2]q><%[1]sResult>%[3]s</%[1]sResult>"+
		"<ResponseMetadata><RequestId>%[4]s</RequestId></ResponseMetadata></%[1]sResponse>", action, namespace, fields, requestID)
	return out.Bytes()
}

// refuse answers in the form of the service, which has one code for all that is
// wrong with a parameter.
func (s queryService) refuse(w http.ResponseWriter, requestID string, f *fault) {
	switch f.Code {
	case "InvalidAction":
		f = faultf(f.Code, "Could not find operation in the local cloud's %s: %s", s.name, f.Message)
	case "MissingParameter", "InvalidParameterValue", "InvalidParameterCombination", "UnknownParameter":
		f = faultf("ValidationError", "%s", f.Message)
	}
	refuseQuery(w, s.namespace, requestID, f)
}

// refuseQuery answers in the form, and with the names, of the Query services.
func refuseQuery(w http.ResponseWriter, namespace, requestID string, f *fault) {
	code, status, kind := f.Code, f.Status, "Sender"
	switch f.Code {
	case "AuthFailure":
		code, status = "InvalidClientTokenId", http.StatusForbidden
	case "InternalError":
		code, kind = "InternalFailure", "Receiver"
	case "RequestLimitExceeded":
		code, status = "Throttling", http.StatusBadRequest
	}
	type problem struct {
		Type, Code, Message string
	}
	body, err := xml.Marshal(struct {
		XMLName   xml.Name
		Error     problem
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: namespace, Local: "ErrorResponse"}, problem{kind, code, f.Message}, requestID})
	if err != nil {
		http.Error(w, f.Message, status)
		return
	}
	writeXML(w, status, body)
}

// members is a list of the Query protocol: Name.member.1 and so on. SDKs send an
// empty one as Name alone.
func (r *request) members(name string) []string {
	r.text(name)
	return r.list(name + ".member")
}

// eachMember is each for a list of the Query protocol.
func (r *request) eachMember(name string) []*request {
	r.text(name)
	return r.each(name + ".member")
}

// recordsOf is a page of a sorted answer, by MaxRecords and NextToken.
func recordsOf[T any](r *request, all []T, most int) (page []T, next string, err error) {
	size := r.number("MaxRecords")
	if size != nil && (*size < 1 || *size > most) {
		return nil, "", badValue("MaxRecords", r.text("MaxRecords"), fmt.Sprintf("Expecting a value between 1 and %d.", most))
	}
	if size == nil {
		size = new(min(most, 50))
	}
	page, next, err = pageOf(all, *size, r.text("NextToken"))
	return page, next, firstOf(err, r.checked())
}
