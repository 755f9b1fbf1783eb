package localcloud

import "slices"

type launchVersionItem struct {
	TemplateID  string         `xml:"launchTemplateId"`
	Name        string         `xml:"launchTemplateName"`
	Number      int            `xml:"versionNumber"`
	Description string         `xml:"versionDescription,omitempty"`
	Created     string         `xml:"createTime"`
	CreatedBy   string         `xml:"createdBy"`
	Default     bool           `xml:"defaultVersion"`
	Data        launchDataItem `xml:"launchTemplateData"`
}

func (c *Cloud) launchVersionItem(t *launchTemplate, v *launchVersion) launchVersionItem {
	return launchVersionItem{
		TemplateID:  t.ID,
		Name:        t.Name,
		Number:      v.Number,
		Description: v.Description,
		Created:     stamp(v.Created),
		CreatedBy:   callerARN,
		Default:     v.Number == t.Default,
		Data:        readLaunchData(newRequest(c.ctx, t.Region, formWith(v.Data))),
	}
}

// describeLaunchTemplateVersions lists versions of one template, the newest
// first, or the newest or default ones of all.
func describeLaunchTemplateVersions(c *Cloud, r *request) (any, error) {
	items, err := c.versionsAsked(r)
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, items, untagged[launchVersionItem], launchVersionAttributes())
	if err != nil {
		return nil, err
	}
	return struct {
		Versions  []launchVersionItem `xml:"launchTemplateVersionSet>item"`
		NextToken string              `xml:"nextToken,omitempty"`
	}{page, next}, nil
}

func (c *Cloud) versionsAsked(r *request) ([]launchVersionItem, error) {
	named := r.list("LaunchTemplateVersion")
	least, most := r.number("MinVersion"), r.number("MaxVersion")
	r.boolean("ResolveAlias") // images have no aliases here
	bounded := least != nil || most != nil
	if bounded && len(named) > 0 {
		return nil, faultf("InvalidParameterCombination", "Versions are named, or bounded by MinVersion and MaxVersion, not both")
	}
	if !r.has("LaunchTemplateId") && !r.has("LaunchTemplateName") {
		return c.versionsOfAll(r.region, named, bounded)
	}
	t, err := c.launchTemplateAsked(r)
	if err != nil {
		return nil, err
	}
	var items []launchVersionItem
	all, err := c.versionsNamed(t, named)
	for _, v := range all {
		if (least == nil || v.Number >= *least) && (most == nil || v.Number <= *most) {
			items = append(items, c.launchVersionItem(t, v))
		}
	}
	return items, err
}

// versionsNamed is the versions of a template that are named, or all of them,
// each once.
func (c *Cloud) versionsNamed(t *launchTemplate, named []string) ([]*launchVersion, error) {
	all := c.versionsOf(t)
	if len(named) == 0 {
		return all, nil
	}
	var chosen []*launchVersion
	for _, text := range named {
		v, err := c.findVersion(t, text)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, v)
	}
	return slices.DeleteFunc(all, func(v *launchVersion) bool { return !slices.Contains(chosen, v) }), nil
}

func (c *Cloud) versionsOfAll(region string, named []string, bounded bool) ([]launchVersionItem, error) {
	numbered := slices.ContainsFunc(named, func(text string) bool { return text != latestVersion && text != defaultVersion })
	if len(named) == 0 || numbered || bounded {
		return nil, missing("LaunchTemplateId or LaunchTemplateName")
	}
	var items []launchVersionItem
	for _, t := range c.launchTemplatesIn(region) {
		all, err := c.versionsNamed(t, named)
		if err != nil {
			continue // not known yet
		}
		for _, v := range all {
			items = append(items, c.launchVersionItem(t, v))
		}
	}
	return items, nil
}

func launchVersionAttributes() attributes[launchVersionItem] {
	type item = launchVersionItem
	return attributes[item]{
		"create-time":        func(v item) []string { return one(v.Created) },
		"ebs-optimized":      func(v item) []string { return yesNo(isTrue(v.Data.EbsOptimized)) },
		"image-id":           func(v item) []string { return one(v.Data.ImageID) },
		"instance-type":      func(v item) []string { return one(v.Data.Type) },
		"is-default-version": func(v item) []string { return yesNo(v.Default) },
		"http-endpoint":      func(v item) []string { return v.metadata(func(m launchMetadata) string { return m.Endpoint }) },
		"http-tokens":        func(v item) []string { return v.metadata(func(m launchMetadata) string { return m.Tokens }) },
		"iam-instance-profile": func(v item) []string {
			if v.Data.Profile == nil {
				return nil
			}
			return append(one(v.Data.Profile.ARN), one(v.Data.Profile.Name)...)
		},
		"kernel-id":   func(item) []string { return nil },
		"ram-disk-id": func(item) []string { return nil },
	}
}

func (v launchVersionItem) metadata(value func(launchMetadata) string) []string {
	if v.Data.Metadata == nil {
		return nil
	}
	return one(value(*v.Data.Metadata))
}

type warningItem struct {
	Errors []outcomeReason `xml:"errorSet>item"`
}

// warningOf is what a launch with the version would fail of, nil when nothing
// is known. What the version leaves open is no warning.
func (c *Cloud) warningOf(r *request, v *launchVersion) *warningItem {
	form := formWith(v.Data)
	form.Set("MinCount", "1")
	form.Set("MaxCount", "1")
	trial := newRequest(r.ctx, r.region, form)
	_, err := c.planLaunch(trial)
	if err = firstOf(err, trial.bad()); err == nil || faultOf(err).Code == "MissingParameter" {
		return nil
	}
	return &warningItem{Errors: []outcomeReason{{faultOf(err).Code, faultOf(err).Message}}}
}
