package localcloud

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// role is what the local cloud remembers of one. It lets nobody do anything: the keys of the cloud may do all.
type role struct {
	Name, Path, ID string
	Trust          string            // a policy document
	Policies       map[string]string // by name
	Tags           map[string]string
	Created        time.Time
}

// instanceProfile is a profile, which has at most one role.
type instanceProfile struct {
	Name, Path, ID, Role string
	Tags                 map[string]string
	Created              time.Time
}

func (p *instanceProfile) arn() string { return entityARN("instance-profile", p.Path, p.Name) }

// entityARN is that of something in IAM, which is in no region.
func entityARN(kind, path, name string) string {
	return "arn:aws:iam::" + accountID + ":" + kind + path + name
}

// iamActions are all that IAM answers here.
func iamActions() map[string]handler {
	return map[string]handler{
		"CreateRole":                    createRole,
		"GetRole":                       getRole,
		"ListRoles":                     listRoles,
		"DeleteRole":                    deleteRole,
		"PutRolePolicy":                 putRolePolicy,
		"GetRolePolicy":                 getRolePolicy,
		"DeleteRolePolicy":              deleteRolePolicy,
		"CreateInstanceProfile":         createInstanceProfile,
		"GetInstanceProfile":            getInstanceProfile,
		"ListInstanceProfiles":          listInstanceProfiles,
		"DeleteInstanceProfile":         deleteInstanceProfile,
		"AddRoleToInstanceProfile":      addRoleToProfile,
		"RemoveRoleFromInstanceProfile": removeRoleFromProfile,
	}
}

// serveIAM answers what a build asks that makes an instance profile of its own.
func (c *Cloud) serveIAM(w http.ResponseWriter, r *request) {
	id := w.Header().Get("X-Amzn-Requestid")
	answer, err := c.performIAM(r)
	c.logCall(r, err)
	if err != nil {
		refuseIAM(w, id, faultOf(err))
		return
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	fmt.Fprintf(&out, "<%[1]sResponse xmlns=%[2]q><%[1]sResult>%[3]s</%[1]sResult><ResponseMetadata><RequestId>%[4]s</RequestId></ResponseMetadata></%[1]sResponse>",
		r.action, iamNamespace, answer, id)
	writeXML(w, http.StatusOK, out.Bytes())
}

func (c *Cloud) performIAM(r *request) ([]byte, error) {
	do := iamActions()[r.action]
	if do == nil {
		return nil, faultf("InvalidAction", "The local cloud has no action %s of IAM; it has those of roles and instance profiles.", r.action)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, err := do(c, r)
	if err != nil {
		return nil, err
	}
	if !readOnly(r.action) && !strings.HasPrefix(r.action, "List") {
		if err := c.save(); err != nil {
			return nil, err
		}
	}
	return elements(answer)
}

// refuseIAM answers in the form, and with the statuses, of IAM.
func refuseIAM(w http.ResponseWriter, requestID string, f *fault) {
	answer := *f
	switch f.Code {
	case "NoSuchEntity":
		answer.Status = http.StatusNotFound
	case "EntityAlreadyExists", "DeleteConflict", "LimitExceeded":
		answer.Status = http.StatusConflict
	case "MissingParameter", "InvalidParameterValue", "UnknownParameter":
		answer.Code = "ValidationError"
	}
	refuseSTS(w, requestID, &answer)
}

func noSuchEntity(kind, name string) *fault {
	return faultf("NoSuchEntity", "The %s with name %s cannot be found.", kind, name)
}

func alreadyThere(kind, name string) *fault {
	return faultf("EntityAlreadyExists", "%s with name %s already exists.", kind, name)
}

// readPolicy reads a policy document, which must be JSON with statements.
func readPolicy(r *request, name string) string {
	text := r.need(name)
	var document struct{ Statement any }
	if text != "" && (json.Unmarshal([]byte(text), &document) != nil || document.Statement == nil) {
		r.problem(faultf("MalformedPolicyDocument", "Syntax errors in policy."))
	}
	return text
}

// readPath is a path such as /a/b/.
func readPath(r *request, name string) string {
	path := r.text(name)
	if path == "" {
		return "/"
	}
	if !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") && name == "Path" {
		r.problem(badValue(name, path, "Expecting a path that begins and ends with a slash."))
	}
	return path
}

// memberTags are Tags.member.1.Key and so on.
func memberTags(r *request) map[string]string {
	tags := map[string]string{}
	for _, tag := range r.at("Tags").each("member") {
		tags[tag.need("Key")] = tag.text("Value")
	}
	return tags
}
