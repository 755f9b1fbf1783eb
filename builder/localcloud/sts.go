package localcloud

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
)

const (
	stsNamespace      = "https://sts.amazonaws.com/doc/2011-06-15/"
	getCallerIdentity = "GetCallerIdentity"
	callerARN         = "arn:aws:iam::" + accountID + ":root"
)

// serveSTS answers GetCallerIdentity: there is one caller, the owner of all.
func (c *Cloud) serveSTS(w http.ResponseWriter, r *request) {
	id := w.Header().Get("X-Amzn-Requestid")
	if r.action != getCallerIdentity {
		refuseSTS(w, id, faultf("InvalidAction", "The local cloud has no action %s; of STS it has GetCallerIdentity.", r.action))
		return
	}
	if err := r.checked(); err != nil {
		refuseSTS(w, id, faultOf(err))
		return
	}
	fields, err := elements(struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{callerARN, accountID, accountID})
	if err != nil {
		refuseSTS(w, id, faultOf(err))
		return
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	fmt.Fprintf(&out, "<GetCallerIdentityResponse xmlns=%q><GetCallerIdentityResult>%s</GetCallerIdentityResult>"+
		"<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></GetCallerIdentityResponse>", stsNamespace, fields, id)
	writeXML(w, http.StatusOK, out.Bytes())
}
