package localcloud

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// withTemplate is a RunInstances with the parameters of its launch template
// where it has none of its own, and the version that they are of: none without
// a template. Tags are put together, one by one.
func (c *Cloud) withTemplate(r *request) (*request, *launchVersion, error) {
	if !r.has("LaunchTemplate") {
		return r, nil, nil
	}
	spec := r.at("LaunchTemplate")
	id, name, version := spec.text("LaunchTemplateId"), spec.text("LaunchTemplateName"), spec.text("Version")
	if version == "" {
		version = defaultVersion
	}
	t, err := c.findLaunchTemplate(r.region, id, name)
	if err != nil {
		return nil, nil, err
	}
	v, err := c.findVersion(t, version)
	if err != nil {
		return nil, nil, err
	}
	merged := *r
	merged.form = formWith(overlay(v.launchData(r), flat(r.form)))
	addTags(merged.form, v, r)
	return &merged, v, nil
}

// launchData is the version's data without what the request says otherwise by
// another name.
func (v *launchVersion) launchData(r *request) map[string]string {
	data := maps.Clone(v.Data)
	if r.has("SecurityGroup") || r.has("SecurityGroupId") {
		maps.DeleteFunc(data, func(key, _ string) bool {
			return parameterOf(key) == "SecurityGroup" || parameterOf(key) == "SecurityGroupId"
		})
	}
	return data
}

// addTags gives a form that has tags of its own those of the version that it has
// no value for.
func addTags(form url.Values, v *launchVersion, r *request) {
	own := newRequest(r.ctx, r.region, r.form)
	theirs := newRequest(r.ctx, r.region, formWith(v.Data))
	indexes := own.indexes("TagSpecification")
	if len(indexes) == 0 {
		return // the form has the version's
	}
	n := slices.Max(indexes)
	for _, kind := range launchedTypes() {
		given, tags := own.tags(kind), theirs.tags(kind)
		maps.DeleteFunc(tags, func(key, _ string) bool { return hasKey(given, key) })
		n++
		setTags(form, n, kind, tags)
	}
}

// setTags is TagSpecification.n of a form.
func setTags(form url.Values, n int, kind string, tags map[string]string) {
	if len(tags) == 0 {
		return
	}
	spec := "TagSpecification." + strconv.Itoa(n)
	form.Set(spec+".ResourceType", kind)
	for i, key := range sortedKeys(tags) {
		at := spec + ".Tag." + strconv.Itoa(i+1)
		form.Set(at+".Key", key)
		form.Set(at+".Value", tags[key])
	}
}

func hasKey(tags map[string]string, key string) bool {
	_, found := tags[key]
	return found
}

// templateTags are those that AWS gives to what is launched from a template.
func (v *launchVersion) templateTags() map[string]string {
	if v == nil {
		return nil
	}
	return map[string]string{
		"aws:ec2launchtemplate:id":      v.Template,
		"aws:ec2launchtemplate:version": strconv.Itoa(v.Number),
	}
}

// below is all that was sent below a parameter, without its name.
func (r *request) below(name string) map[string]string {
	all := map[string]string{}
	for key := range r.form {
		if rest, found := strings.CutPrefix(key, r.prefix+name+"."); found {
			all[rest] = r.form.Get(key)
		}
	}
	return all
}

// parameterOf is the parameter that a key is a part of: "Placement" of
// "Placement.Tenancy".
func parameterOf(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return name
}

func formWith(data map[string]string) url.Values {
	form := url.Values{}
	for key, value := range data {
		form.Set(key, value)
	}
	return form
}

func flat(form url.Values) map[string]string {
	data := map[string]string{}
	for key := range form {
		data[key] = form.Get(key)
	}
	return data
}
