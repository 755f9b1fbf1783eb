package localcloud

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// launchTemplate is a name for launches that look alike. What they look like is
// in its versions.
type launchTemplate struct {
	ID      string
	Region  string
	Name    string
	Created time.Time
	Default int // number of the version
	Issued  int // the highest number so far: a number is not given twice
	Tags    map[string]string
}

func launchTemplateActions() map[string]handler {
	return map[string]handler{
		"CreateLaunchTemplate":           createLaunchTemplate,
		"CreateLaunchTemplateVersion":    createLaunchTemplateVersion,
		"DeleteLaunchTemplate":           deleteLaunchTemplate,
		"DeleteLaunchTemplateVersions":   deleteLaunchTemplateVersions,
		"DescribeLaunchTemplates":        describeLaunchTemplates,
		"DescribeLaunchTemplateVersions": describeLaunchTemplateVersions,
		"ModifyLaunchTemplate":           modifyLaunchTemplate,
	}
}

// findLaunchTemplate is the template of a region with that id or that name.
func (c *Cloud) findLaunchTemplate(region, id, name string) (*launchTemplate, error) {
	switch {
	case id != "" && name != "":
		return nil, faultf("InvalidParameterCombination", "A launch template is named by its ID or by its name, not by both")
	case id == "" && name == "":
		return nil, missing("LaunchTemplateId or LaunchTemplateName")
	case id != "" && !wellFormed("lt-", id):
		return nil, malformed("InvalidLaunchTemplateId.Malformed", "lt-", id)
	}
	for _, t := range c.launchTemplatesIn(region) {
		if t.ID == id || t.Name == name {
			return t, nil
		}
	}
	if id != "" {
		return nil, faultf("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", id)
	}
	return nil, noTemplateNamed(name)
}

func noTemplateNamed(name string) *fault {
	return faultf("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", name)
}

// launchTemplateAsked is the template that a request's LaunchTemplateId or
// LaunchTemplateName names.
func (c *Cloud) launchTemplateAsked(r *request) (*launchTemplate, error) {
	return c.findLaunchTemplate(r.region, r.text("LaunchTemplateId"), r.text("LaunchTemplateName"))
}

func (c *Cloud) launchTemplatesIn(region string) []*launchTemplate {
	all := inRegion(c.state.LaunchTemplates, region, func(t *launchTemplate) string { return t.Region })
	slices.SortFunc(all, func(a, b *launchTemplate) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func createLaunchTemplate(c *Cloud, r *request) (any, error) {
	t := &launchTemplate{ID: newID("lt-"), Region: r.region, Created: c.now(), Default: 1, Tags: r.tags("launch-template")}
	t.Name = readTemplateName(r)
	description, data := readVersion(r)
	if err := r.checked(); err != nil {
		return nil, err
	}
	if _, err := c.findLaunchTemplate(r.region, "", t.Name); err == nil {
		return nil, faultf("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	c.state.LaunchTemplates[t.ID] = t
	v := c.addVersion(t, description, data)
	return struct {
		Template launchTemplateItem `xml:"launchTemplate"`
		Warning  *warningItem       `xml:"warning"`
	}{c.launchTemplateItem(t), c.warningOf(r, v)}, nil
}

func readTemplateName(r *request) string {
	name := r.need("LaunchTemplateName")
	if good, err := regexp.MatchString(`^[A-Za-z0-9()./_-]{3,128}$`, name); name != "" && (err != nil || !good) {
		r.problem(faultf("InvalidLaunchTemplateName.MalformedException", "A launch template name must be between 3 and 128 characters, "+
			"and may contain letters, numbers, and the following characters: - ( ) . / _"))
	}
	return name
}

// modifyLaunchTemplate sets the default version.
func modifyLaunchTemplate(c *Cloud, r *request) (any, error) {
	t, err := c.launchTemplateAsked(r)
	number := r.text("SetDefaultVersion")
	if number == "" {
		r.problem(missing("SetDefaultVersion"))
	}
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	v, err := c.findVersion(t, number)
	if err := firstOf(err, r.dryRun()); err != nil {
		return nil, err
	}
	t.Default = v.Number
	return struct {
		Template launchTemplateItem `xml:"launchTemplate"`
	}{c.launchTemplateItem(t)}, nil
}

func deleteLaunchTemplate(c *Cloud, r *request) (any, error) {
	t, err := c.launchTemplateAsked(r)
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	answer := struct {
		Template launchTemplateItem `xml:"launchTemplate"`
	}{c.launchTemplateItem(t)}
	for _, v := range c.versionsOf(t) {
		delete(c.state.LaunchVersions, v.key())
	}
	delete(c.state.LaunchTemplates, t.ID)
	return answer, nil
}

type launchTemplateItem struct {
	ID        string `xml:"launchTemplateId"`
	Name      string `xml:"launchTemplateName"`
	Created   string `xml:"createTime"`
	CreatedBy string `xml:"createdBy"`
	Default   int    `xml:"defaultVersionNumber"`
	Latest    int    `xml:"latestVersionNumber"`
	Tags      tagSet `xml:"tagSet"`
}

func (c *Cloud) launchTemplateItem(t *launchTemplate) launchTemplateItem {
	item := launchTemplateItem{
		ID: t.ID, Name: t.Name, Created: stamp(t.Created), CreatedBy: callerARN, Default: t.Default, Tags: tagsOf(t.Tags),
	}
	if all := c.versionsOf(t); len(all) > 0 {
		item.Latest = all[0].Number
	}
	return item
}

func describeLaunchTemplates(c *Cloud, r *request) (any, error) {
	all := c.launchTemplatesIn(r.region)
	ids, names := r.list("LaunchTemplateId"), r.list("LaunchTemplateName")
	if len(ids)+len(names) > 0 {
		all = nil
	}
	for i, id := range append(ids, names...) {
		name := ""
		if i >= len(ids) {
			id, name = "", id
		}
		t, err := c.findLaunchTemplate(r.region, id, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	page, next, err := describe(r, all, func(t *launchTemplate) map[string]string { return t.Tags }, attributes[*launchTemplate]{
		"create-time":          func(t *launchTemplate) []string { return one(stamp(t.Created)) },
		"launch-template-name": func(t *launchTemplate) []string { return one(t.Name) },
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Templates []launchTemplateItem `xml:"launchTemplates>item"`
		NextToken string               `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, t := range page {
		answer.Templates = append(answer.Templates, c.launchTemplateItem(t))
	}
	return answer, nil
}

// versionNumber is 0 for what is not the number of a version.
func versionNumber(text string) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return 0
}
