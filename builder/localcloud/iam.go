package localcloud

import (
	"encoding/json"
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
