package localcloud

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

const (
	latestVersion  = "$Latest"
	defaultVersion = "$Default"
)

// launchVersion is a version of a launch template. Its data are parameters of
// RunInstances, under the names that they have there.
type launchVersion struct {
	Template    string // id
	Number      int
	Description string
	Created     time.Time
	Data        map[string]string
}

func versionKey(template string, number int) string { return template + "/" + strconv.Itoa(number) }

// key is the version's place in the state.
func (v *launchVersion) key() string { return versionKey(v.Template, v.Number) }

// versionsOf is the versions of a template, the newest first.
func (c *Cloud) versionsOf(t *launchTemplate) []*launchVersion {
	var all []*launchVersion
	for _, v := range c.state.LaunchVersions {
		if v.Template == t.ID {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b *launchVersion) int { return cmp.Compare(b.Number, a.Number) })
	return all
}

// findVersion is the version of a template that a number, $Latest or $Default
// names. One that is not known yet is not there.
func (c *Cloud) findVersion(t *launchTemplate, text string) (*launchVersion, error) {
	number := versionNumber(text)
	known := slices.DeleteFunc(c.versionsOf(t), func(v *launchVersion) bool {
		_, hidden := c.unknown.made[v.key()]
		return hidden
	})
	switch {
	case text == defaultVersion:
		number = t.Default
	case text == latestVersion && len(known) > 0:
		number = known[0].Number
	case number == 0 && text != latestVersion:
		return nil, faultf("InvalidParameterValue", "Invalid launch template version: '%s'. Expecting a number, %s or %s.", text, latestVersion, defaultVersion)
	}
	for _, v := range known {
		if v.Number == number {
			return v, nil
		}
	}
	return nil, faultf("InvalidLaunchTemplateId.VersionNotFound",
		"Could not find the specified version %s for the launch template with ID %s.", text, t.ID)
}

func (c *Cloud) addVersion(t *launchTemplate, description string, data map[string]string) *launchVersion {
	t.Issued++
	v := &launchVersion{Template: t.ID, Number: t.Issued, Description: description, Created: c.now(), Data: data}
	c.state.LaunchVersions[v.key()] = v
	return v
}

// readVersion reads what CreateLaunchTemplate and CreateLaunchTemplateVersion
// have in common.
func readVersion(r *request) (description string, data map[string]string) {
	description = r.text("VersionDescription")
	if len(description) > 255 {
		r.problem(badValue("VersionDescription", description, "A description has at most 255 characters."))
	}
	if !r.has("LaunchTemplateData") {
		r.problem(missing("LaunchTemplateData"))
	}
	readLaunchData(r.at("LaunchTemplateData"))
	return description, r.below("LaunchTemplateData")
}

// createLaunchTemplateVersion makes a version: with SourceVersion, that one with
// the given parameters in the place of its own.
func createLaunchTemplateVersion(c *Cloud, r *request) (any, error) {
	t, err := c.launchTemplateAsked(r)
	source := r.text("SourceVersion")
	r.boolean("ResolveAlias") // images have no aliases here
	description, data := readVersion(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if source != "" {
		from, err := c.findVersion(t, source)
		if err != nil {
			return nil, err
		}
		data = overlay(from.Data, data)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	v := c.addVersion(t, description, data)
	return struct {
		Version launchVersionItem `xml:"launchTemplateVersion"`
		Warning *warningItem      `xml:"warning"`
	}{c.launchVersionItem(t, v), c.warningOf(r, v)}, nil
}

// overlay is the parameters of base under those of above. A parameter with
// parts, or a list, is replaced as a whole.
func overlay(base, above map[string]string) map[string]string {
	set := map[string]bool{}
	for key := range above {
		set[parameterOf(key)] = true
	}
	merged := maps.Clone(above)
	for key, value := range base {
		if !set[parameterOf(key)] {
			merged[key] = value
		}
	}
	return merged
}

type versionOutcome struct {
	TemplateID string         `xml:"launchTemplateId"`
	Name       string         `xml:"launchTemplateName"`
	Number     int            `xml:"versionNumber"`
	Error      *outcomeReason `xml:"responseError"`
}

type outcomeReason struct {
	Code    string `xml:"code"`
	Message string `xml:"message"`
}

// deleteLaunchTemplateVersions deletes what it can, and says of each version
// what came of it.
func deleteLaunchTemplateVersions(c *Cloud, r *request) (any, error) {
	t, err := c.launchTemplateAsked(r)
	numbers := r.list("LaunchTemplateVersion")
	if len(numbers) == 0 {
		r.problem(missing("LaunchTemplateVersion"))
	}
	for _, text := range numbers {
		if versionNumber(text) == 0 {
			r.problem(faultf("InvalidParameterValue", "Invalid launch template version: '%s'. Expecting a number.", text))
		}
	}
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	var answer struct {
		Deleted []versionOutcome `xml:"successfullyDeletedLaunchTemplateVersionSet>item"`
		Kept    []versionOutcome `xml:"unsuccessfullyDeletedLaunchTemplateVersionSet>item"`
	}
	for _, text := range numbers {
		outcome := versionOutcome{TemplateID: t.ID, Name: t.Name, Number: versionNumber(text)}
		if outcome.Error = c.deleteVersion(t, outcome.Number); outcome.Error != nil {
			answer.Kept = append(answer.Kept, outcome)
			continue
		}
		answer.Deleted = append(answer.Deleted, outcome)
	}
	return answer, nil
}

// deleteVersion is nil when the version is gone.
func (c *Cloud) deleteVersion(t *launchTemplate, number int) *outcomeReason {
	v, err := c.findVersion(t, strconv.Itoa(number))
	switch {
	case err != nil:
		return &outcomeReason{"launchTemplateVersionDoesNotExist", messageOf(err)}
	case number == t.Default:
		return &outcomeReason{"unexpectedError", "Cannot delete the default version of a launch template."}
	}
	delete(c.state.LaunchVersions, v.key())
	return nil
}
