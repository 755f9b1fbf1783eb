package localcloud

import (
	"maps"
	"net/url"
	"strings"
	"time"
)

type roleItem struct {
	Path, RoleName, RoleId, Arn string //nolint:revive // IAM's own spelling
	CreateDate                  string
	AssumeRolePolicyDocument    string
}

func (r *role) item() roleItem {
	return roleItem{r.Path, r.Name, r.ID, entityARN("role", r.Path, r.Name), r.Created.UTC().Format(time.RFC3339), url.QueryEscape(r.Trust)}
}

type roleAnswer struct {
	Role roleItem
}

func createRole(c *Cloud, r *request) (any, error) {
	made := &role{
		Name: r.need("RoleName"), Path: readPath(r, "Path"), ID: newEntityID("AROA"),
		Trust: readPolicy(r, "AssumeRolePolicyDocument"), Policies: map[string]string{}, Tags: memberTags(r), Created: c.now(),
	}
	r.text("Description")
	if err := r.checked(); err != nil {
		return nil, err
	}
	if c.state.Roles[made.Name] != nil {
		return nil, alreadyThere("Role", made.Name)
	}
	c.state.Roles[made.Name] = made
	return roleAnswer{made.item()}, nil
}

// findRole is the role that a request names.
func (c *Cloud) findRole(r *request) (*role, error) {
	name := r.need("RoleName")
	if found := c.state.Roles[name]; found != nil || name == "" {
		return found, nil
	}
	return nil, noSuchEntity("role", name)
}

func getRole(c *Cloud, r *request) (any, error) {
	found, err := c.findRole(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	return roleAnswer{found.item()}, nil
}

func listRoles(c *Cloud, r *request) (any, error) {
	prefix := readPath(r, "PathPrefix")
	if err := r.checked(); err != nil {
		return nil, err
	}
	var answer struct {
		Roles struct {
			Members []roleItem `xml:"member"`
		}
		IsTruncated bool
	}
	for _, name := range sortedKeys(c.state.Roles) {
		if found := c.state.Roles[name]; strings.HasPrefix(found.Path, prefix) {
			answer.Roles.Members = append(answer.Roles.Members, found.item())
		}
	}
	return answer, nil
}

func deleteRole(c *Cloud, r *request) (any, error) {
	found, err := c.findRole(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if len(found.Policies) > 0 {
		return nil, faultf("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	for p := range maps.Values(c.state.Profiles) {
		if p.Role == found.Name {
			return nil, faultf("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
		}
	}
	delete(c.state.Roles, found.Name)
	return struct{}{}, nil
}

func putRolePolicy(c *Cloud, r *request) (any, error) {
	found, err := c.findRole(r)
	name, policy := r.need("PolicyName"), readPolicy(r, "PolicyDocument")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	found.Policies[name] = policy
	return struct{}{}, nil
}

func getRolePolicy(c *Cloud, r *request) (any, error) {
	found, err := c.findRole(r)
	name := r.need("PolicyName")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	policy, there := found.Policies[name]
	if !there {
		return nil, noSuchEntity("role policy", name)
	}
	return struct{ RoleName, PolicyName, PolicyDocument string }{found.Name, name, url.QueryEscape(policy)}, nil
}

func deleteRolePolicy(c *Cloud, r *request) (any, error) {
	found, err := c.findRole(r)
	name := r.need("PolicyName")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if _, there := found.Policies[name]; !there {
		return nil, noSuchEntity("role policy", name)
	}
	delete(found.Policies, name)
	return struct{}{}, nil
}
