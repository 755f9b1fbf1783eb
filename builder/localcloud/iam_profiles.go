package localcloud

import (
	"crypto/rand"
	"strings"
	"time"
)

type instanceProfileItem struct {
	Path, InstanceProfileName, InstanceProfileId, Arn string //nolint:revive // IAM's own spelling
	CreateDate                                        string
	Roles                                             []roleItem `xml:"Roles>member"`
}

func (c *Cloud) profileItem(p *instanceProfile) instanceProfileItem {
	item := instanceProfileItem{p.Path, p.Name, p.ID, p.arn(), p.Created.UTC().Format(time.RFC3339), nil}
	if r := c.state.Roles[p.Role]; r != nil {
		item.Roles = []roleItem{r.item()}
	}
	return item
}

// profileID is that of a machine's profile where its own is not known.
const profileID = "AIPALOCALCLOUD000000"

// newEntityID is an id in the form of IAM's.
func newEntityID(kind string) string { return kind + rand.Text()[:17] }

type profileAnswer struct {
	InstanceProfile instanceProfileItem
}

func createInstanceProfile(c *Cloud, r *request) (any, error) {
	made := &instanceProfile{Name: r.need("InstanceProfileName"), Path: readPath(r, "Path"), ID: newEntityID("AIPA"), Tags: memberTags(r), Created: c.now()}
	if err := r.checked(); err != nil {
		return nil, err
	}
	if c.state.Profiles[made.Name] != nil {
		return nil, alreadyThere("Instance Profile", made.Name)
	}
	c.state.Profiles[made.Name] = made
	return profileAnswer{c.profileItem(made)}, nil
}

// findProfile is the profile that a request names.
func (c *Cloud) findProfile(r *request) (*instanceProfile, error) {
	name := r.need("InstanceProfileName")
	if found := c.state.Profiles[name]; found != nil || name == "" {
		return found, nil
	}
	return nil, noSuchEntity("instance profile", name)
}

func getInstanceProfile(c *Cloud, r *request) (any, error) {
	found, err := c.findProfile(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	return profileAnswer{c.profileItem(found)}, nil
}

func listInstanceProfiles(c *Cloud, r *request) (any, error) {
	prefix := readPath(r, "PathPrefix")
	if err := r.checked(); err != nil {
		return nil, err
	}
	var answer struct {
		InstanceProfiles struct {
			Members []instanceProfileItem `xml:"member"`
		}
		IsTruncated bool
	}
	for _, name := range sortedKeys(c.state.Profiles) {
		if found := c.state.Profiles[name]; strings.HasPrefix(found.Path, prefix) {
			answer.InstanceProfiles.Members = append(answer.InstanceProfiles.Members, c.profileItem(found))
		}
	}
	return answer, nil
}

func deleteInstanceProfile(c *Cloud, r *request) (any, error) {
	found, err := c.findProfile(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if found.Role != "" {
		return nil, faultf("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	}
	delete(c.state.Profiles, found.Name)
	return struct{}{}, nil
}

func addRoleToProfile(c *Cloud, r *request) (any, error) {
	found, missingProfile := c.findProfile(r)
	role, missingRole := c.findRole(r)
	if err := firstOf(r.checked(), missingProfile, missingRole); err != nil {
		return nil, err
	}
	if found.Role != "" {
		return nil, faultf("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	found.Role = role.Name
	return struct{}{}, nil
}

func removeRoleFromProfile(c *Cloud, r *request) (any, error) {
	found, missingProfile := c.findProfile(r)
	name := r.need("RoleName")
	if err := firstOf(r.checked(), missingProfile); err != nil {
		return nil, err
	}
	if found.Role != name {
		return nil, noSuchEntity("role", name)
	}
	found.Role = ""
	return struct{}{}, nil
}

// profileNamed is the ARN of a profile that a machine is launched with. A name that IAM does not have is shown as it
// is: templates name profiles of the real account. But what a build makes has gone when it is not there.
func (c *Cloud) profileNamed(name string) (string, error) {
	if found := c.state.Profiles[name]; found != nil {
		return found.arn(), nil
	}
	if strings.HasPrefix(name, "imago-") {
		return "", faultf("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", name)
	}
	return entityARN("instance-profile", "/", name), nil
}

// readProfile reads which instance profile a machine has.
func (c *Cloud) readProfile(r *request, inst *instance) {
	inst.Profile = r.text("Arn")
	name := r.text("Name")
	if name == "" {
		return
	}
	if inst.Profile != "" {
		r.problem(faultf("InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'"))
	}
	arn, err := c.profileNamed(name)
	if err != nil {
		r.problem(err)
	}
	inst.Profile = arn
}
