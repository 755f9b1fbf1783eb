package iam

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/awserr"
)

var _ builder.Profiles = (*Client)(nil)

// trust lets machines of EC2 work as the role.
const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// policyName is the name of the one policy in a role.
const policyName = "imago"

// CreateProfile makes a role with a policy, and an instance profile of the same name that has it. What is there already
// is taken for its own: the name is one build's.
func (c *Client) CreateProfile(ctx context.Context, p builder.Profile) error {
	name := url.Values{"RoleName": {p.Name}}
	calls := []struct {
		action string
		values url.Values
	}{
		{"CreateRole", with(tags(p.Tags), "RoleName", p.Name, "Path", p.Path, "AssumeRolePolicyDocument", trust, "Description", "imago: for the machine of one build")},
		{"PutRolePolicy", with(name, "PolicyName", policyName, "PolicyDocument", p.Policy)},
		{"CreateInstanceProfile", with(tags(p.Tags), "InstanceProfileName", p.Name, "Path", p.Path)},
		{"AddRoleToInstanceProfile", with(name, "InstanceProfileName", p.Name)},
	}
	for _, call := range calls {
		err := c.call(ctx, call.action, call.values, new(struct{}), "NoSuchEntity")
		already := awserr.Is(err, "EntityAlreadyExists") || call.action == "AddRoleToInstanceProfile" && awserr.Is(err, "LimitExceeded")
		if err != nil && !already {
			return c.takeBack(ctx, p.Name, err)
		}
	}
	return nil
}

// takeBack takes half a profile back that IAM refused to make the rest of. When that does not succeed, the error is
// none of IAM's, so that whoever made it looks for what is left.
func (c *Client) takeBack(ctx context.Context, name string, why error) error {
	if api := smithy.APIError(nil); !errors.As(why, &api) {
		return why
	}
	if err := c.DeleteProfile(ctx, name); err != nil {
		return fmt.Errorf("%v; and what was made of it before stays: %v", why, err)
	}
	return why
}

// DeleteProfile takes the two away again, as far as they are there.
func (c *Client) DeleteProfile(ctx context.Context, name string) error {
	var errs []error
	for _, call := range []struct {
		action string
		values url.Values
	}{
		{"RemoveRoleFromInstanceProfile", url.Values{"InstanceProfileName": {name}, "RoleName": {name}}},
		{"DeleteInstanceProfile", url.Values{"InstanceProfileName": {name}}},
		{"DeleteRolePolicy", url.Values{"RoleName": {name}, "PolicyName": {policyName}}},
		{"DeleteRole", url.Values{"RoleName": {name}}},
	} {
		if err := c.call(ctx, call.action, call.values, new(struct{}), "DeleteConflict"); err != nil && !awserr.Is(err, "NoSuchEntity") {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// entity is a role or a profile in a list.
type entity struct {
	RoleName, InstanceProfileName string
	CreateDate                    time.Time
}

// listing is an answer of ListRoles or ListInstanceProfiles.
type listing struct {
	Roles    []entity `xml:"Roles>member"`
	Profiles []entity `xml:"InstanceProfiles>member"`
	Marker   string
}

// Profiles lists the profiles below a path, and the roles that have none yet, or no longer.
func (c *Client) Profiles(ctx context.Context, path string) ([]builder.Profile, error) {
	found := map[string]builder.Profile{}
	for _, action := range []string{"ListRoles", "ListInstanceProfiles"} {
		for marker := ""; ; {
			values := url.Values{"PathPrefix": {path}}
			if marker != "" {
				values.Set("Marker", marker)
			}
			var out listing
			if err := c.call(ctx, action, values, &out); err != nil {
				return nil, err
			}
			for _, e := range append(out.Roles, out.Profiles...) {
				p := builder.Profile{Name: e.RoleName + e.InstanceProfileName, Path: path, Created: e.CreateDate}
				if have, ok := found[p.Name]; !ok || p.Created.After(have.Created) {
					found[p.Name] = p
				}
			}
			if marker = out.Marker; marker == "" {
				break
			}
		}
	}
	var all []builder.Profile
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[name])
	}
	return all, nil
}

// with is parameters and more, in pairs.
func with(values url.Values, pairs ...string) url.Values {
	all := maps.Clone(values)
	for i := 0; i < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all
}

func tags(all map[string]string) url.Values {
	values := url.Values{}
	for i, key := range slices.Sorted(maps.Keys(all)) {
		values.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), key)
		values.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), all[key])
	}
	return values
}
