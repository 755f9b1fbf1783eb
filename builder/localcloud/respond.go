package localcloud

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const ec2Namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// simpleAnswer is <return>true</return>, the answer of actions that only do.
type simpleAnswer struct {
	Return bool `xml:"return"`
}

type tagItem struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type tagSet struct {
	Items []tagItem `xml:"item"`
}

// tagsOf is the tagSet of a resource, sorted by key.
func tagsOf(tags map[string]string) tagSet {
	var set tagSet
	for _, key := range sortedKeys(tags) {
		set.Items = append(set.Items, tagItem{Key: key, Value: tags[key]})
	}
	return set
}

// wrapAnswer is <ActionResponse> around the fields of an answer.
func wrapAnswer(action, requestID string, fields []byte) []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	fmt.Fprintf(&out, "<%sResponse xmlns=%q><requestId>%s</requestId>", action, ec2Namespace, requestID)
	out.Write(fields)
	fmt.Fprintf(&out, "</%sResponse>", action)
	return out.Bytes()
}

// elements is the XML of a struct's fields without an element around them.
func elements(answer any) ([]byte, error) {
	var out bytes.Buffer
	name := xml.StartElement{Name: xml.Name{Local: "a"}}
	if err := xml.NewEncoder(&out).EncodeElement(answer, name); err != nil {
		return nil, err
	}
	inner := bytes.TrimPrefix(out.Bytes(), []byte("<a>"))
	return bytes.TrimSuffix(inner, []byte("</a>")), nil
}

func writeXML(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the caller has gone; nobody is left to tell
}

// faultOf is err as a fault; what is not one is the local cloud's own trouble.
func faultOf(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	return faultf("InternalError", "%v", err)
}

// respondFault answers in the form of EC2's errors.
func respondFault(w http.ResponseWriter, requestID string, f *fault) {
	type problem struct {
		Code    string
		Message string
	}
	body, err := xml.Marshal(struct {
		XMLName   xml.Name  `xml:"Response"`
		Errors    []problem `xml:"Errors>Error"`
		RequestID string
	}{Errors: []problem{{f.Code, f.Message}}, RequestID: requestID})
	if err != nil {
		http.Error(w, f.Error(), f.Status)
		return
	}
	writeXML(w, f.Status, append([]byte(xml.Header), body...))
}

// refuse answers in the form of the service that was called.
func refuse(w http.ResponseWriter, r *http.Request, service, requestID string, f *fault) {
	switch {
	case strings.HasPrefix(r.URL.Path, ownPath):
		http.Error(w, f.Message, f.Status)
	case service == "ssm" || r.Header.Get("X-Amz-Target") != "":
		refuseJSON(w, f)
	case service == "route53":
		refuseRoute53(w, f)
	default:
		if s, found := queryServiceNamed(service); found {
			s.refuse(w, requestID, f)
			return
		}
		respondFault(w, requestID, f)
	}
}

// refuseJSON answers in the form, and with the names, of the JSON services.
func refuseJSON(w http.ResponseWriter, f *fault) {
	code, status := f.Code, http.StatusBadRequest
	switch f.Code {
	case "AuthFailure":
		code = "UnrecognizedClientException"
	case "SignatureDoesNotMatch", "RequestExpired":
		code = "InvalidSignatureException"
	case "MissingAuthenticationToken", "IncompleteSignature":
		code += "Exception"
	case "InternalError":
		code, status = "InternalServerError", http.StatusInternalServerError
	case "RequestLimitExceeded":
		code = "ThrottlingException"
	}
	body, err := json.Marshal(map[string]string{"__type": code, "message": f.Message})
	if err != nil {
		http.Error(w, f.Message, status)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the caller has gone; nobody is left to tell
}

// newRequestID is a random UUID, the form of AWS's request ids.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never returns an error
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
