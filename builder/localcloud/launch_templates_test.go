package localcloud

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// template makes a launch template of an image, and is its id.
func (c *testCloud) template(name, image string, pairs ...string) string {
	c.t.Helper()
	return c.ok("CreateLaunchTemplate", append([]string{"LaunchTemplateName", name, "LaunchTemplateData.ImageId", image,
		"LaunchTemplateData.InstanceType", "t3.micro"}, pairs...)...).text("launchTemplate/launchTemplateId")
}

// texts are the texts at several paths.
func textsAt(n node, paths ...string) map[string]string {
	all := map[string]string{}
	for _, path := range paths {
		all[path] = n.text(path)
	}
	return all
}

func TestLaunchTemplateVersions(t *testing.T) {
	c := openTest(t)
	image := c.base()
	id := c.template("web", image, "VersionDescription", "first", "LaunchTemplateData.SecurityGroup.1", "default",
		"TagSpecification.1.ResourceType", "launch-template", "TagSpecification.1.Tag.1.Key", "team", "TagSpecification.1.Tag.1.Value", "a")
	c.ok("CreateLaunchTemplateVersion", "LaunchTemplateName", "web", "SourceVersion", "$Latest", "VersionDescription", "second",
		"LaunchTemplateData.InstanceType", "t3.small", "LaunchTemplateData.UserData", "aGk=")
	c.ok("CreateLaunchTemplateVersion", "LaunchTemplateId", id, "LaunchTemplateData.ImageId", image)
	c.ok("ModifyLaunchTemplate", "LaunchTemplateId", id, "SetDefaultVersion", "2")

	got := textsAt(c.ok("DescribeLaunchTemplates", "Filter.1.Name", "tag:team", "Filter.1.Value.1", "a"),
		"launchTemplates/item/launchTemplateId", "launchTemplates/item/launchTemplateName", "launchTemplates/item/defaultVersionNumber",
		"launchTemplates/item/latestVersionNumber", "launchTemplates/item/createdBy", "launchTemplates/item/tagSet/item/value")
	want := map[string]string{
		"launchTemplates/item/launchTemplateId":     id,
		"launchTemplates/item/launchTemplateName":   "web",
		"launchTemplates/item/defaultVersionNumber": "2",
		"launchTemplates/item/latestVersionNumber":  "3",
		"launchTemplates/item/createdBy":            "arn:aws:iam::000000000000:root",
		"launchTemplates/item/tagSet/item/value":    "a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	all := c.ok("DescribeLaunchTemplateVersions", "LaunchTemplateId", id)
	const at = "launchTemplateVersionSet/item/"
	gotAll := map[string][]string{}
	wantAll := map[string][]string{
		"versionNumber":                            {"3", "2", "1"},
		"versionDescription":                       {"second", "first"},
		"defaultVersion":                           {"false", "true", "false"},
		"launchTemplateData/imageId":               {image, image, image},
		"launchTemplateData/instanceType":          {"t3.small", "t3.micro"},
		"launchTemplateData/userData":              {"aGk="},
		"launchTemplateData/securityGroupSet/item": {"default", "default"},
	}
	for path := range wantAll {
		gotAll[path] = all.texts(at + path)
	}
	if diff := cmp.Diff(wantAll, gotAll); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name, test := range map[string]struct {
		pairs []string
		want  []string
	}{
		"named":             {[]string{"LaunchTemplateId", id, "LaunchTemplateVersion.1", "$Default", "LaunchTemplateVersion.2", "1"}, []string{"2", "1"}},
		"bounded":           {[]string{"LaunchTemplateId", id, "MinVersion", "2", "MaxVersion", "2"}, []string{"2"}},
		"filtered":          {[]string{"LaunchTemplateId", id, "Filter.1.Name", "instance-type", "Filter.1.Value.1", "t3.micro"}, []string{"1"}},
		"the default":       {[]string{"LaunchTemplateId", id, "Filter.1.Name", "is-default-version", "Filter.1.Value.1", "true"}, []string{"2"}},
		"of every template": {[]string{"LaunchTemplateVersion.1", "$Latest"}, []string{"3"}},
	} {
		if got := c.ok("DescribeLaunchTemplateVersions", test.pairs...).texts(at + "versionNumber"); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestDeletedVersionsKeepTheirNumbers(t *testing.T) {
	c := openTest(t)
	image := c.base()
	id := c.template("web", image)
	next := func() string {
		return c.ok("CreateLaunchTemplateVersion", "LaunchTemplateId", id, "LaunchTemplateData.ImageId", image).text("launchTemplateVersion/versionNumber")
	}
	next()
	next()
	answer := c.ok("DeleteLaunchTemplateVersions", "LaunchTemplateId", id,
		"LaunchTemplateVersion.1", "3", "LaunchTemplateVersion.2", "1", "LaunchTemplateVersion.3", "9")
	const gone, kept = "successfullyDeletedLaunchTemplateVersionSet/item/", "unsuccessfullyDeletedLaunchTemplateVersionSet/item/"
	got := textsAt(answer, gone+"versionNumber", kept+"versionNumber", kept+"responseError/code", kept+"responseError/message")
	want := map[string]string{
		gone + "versionNumber":      "3",
		kept + "versionNumber":      "1 9",
		kept + "responseError/code": "unexpectedError launchTemplateVersionDoesNotExist",
		kept + "responseError/message": "Cannot delete the default version of a launch template. " +
			"Could not find the specified version 9 for the launch template with ID " + id + ".",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := c.ok("DescribeLaunchTemplates").text("launchTemplates/item/latestVersionNumber"); got != "2" {
		t.Errorf("the latest is %s, want 2", got)
	}
	if got := next(); got != "4" {
		t.Errorf("the next version is %s, want 4", got)
	}
	c.ok("DeleteLaunchTemplate", "LaunchTemplateName", "web")
	if got := len(c.state.LaunchVersions); got != 0 {
		t.Errorf("%d versions outlive their template", got)
	}
}

func TestLaunchTemplatesRefuse(t *testing.T) {
	c := openTest(t)
	image := c.base()
	id := c.template("web", image)
	for name, test := range map[string]struct {
		action string
		pairs  []string
		want   string
	}{
		"twice": {"CreateLaunchTemplate", []string{"LaunchTemplateName", "web", "LaunchTemplateData.ImageId", image},
			"400 InvalidLaunchTemplateName.AlreadyExistsException: Launch template name already in use."},
		"a bad name": {"CreateLaunchTemplate", []string{"LaunchTemplateName", "a b", "LaunchTemplateData.ImageId", image},
			"400 InvalidLaunchTemplateName.MalformedException: A launch template name must be between 3 and 128 characters, " +
				"and may contain letters, numbers, and the following characters: - ( ) . / _"},
		"no data": {"CreateLaunchTemplate", []string{"LaunchTemplateName", "api"},
			"400 MissingParameter: The request must contain the parameter LaunchTemplateData"},
		"what it does not have": {"CreateLaunchTemplate", []string{"LaunchTemplateName", "api", "LaunchTemplateData.KernelId", "aki-1"},
			"400 UnknownParameter: The parameter LaunchTemplateData.KernelId is not recognized"},
		"tags of another type": {"CreateLaunchTemplate", []string{"LaunchTemplateName", "api", "LaunchTemplateData.TagSpecification.1.ResourceType", "image"},
			"400 InvalidParameterValue: 'image' is not a valid taggable resource type for this operation."},
		"no template": {"DescribeLaunchTemplateVersions", nil,
			"400 MissingParameter: The request must contain the parameter LaunchTemplateId or LaunchTemplateName"},
		"unknown id": {"DescribeLaunchTemplates", []string{"LaunchTemplateId.1", "lt-0123456789abcdef0"},
			"400 InvalidLaunchTemplateId.NotFound: The specified launch template, with template ID lt-0123456789abcdef0, does not exist."},
		"a bad id": {"DeleteLaunchTemplate", []string{"LaunchTemplateId", "web"},
			`400 InvalidLaunchTemplateId.Malformed: Invalid id: "web" (expecting "lt-...")`},
		"unknown name": {"DeleteLaunchTemplate", []string{"LaunchTemplateName", "api"},
			"400 InvalidLaunchTemplateName.NotFoundException: The specified launch template, with template name api, does not exist."},
		"unknown version": {"ModifyLaunchTemplate", []string{"LaunchTemplateId", id, "SetDefaultVersion", "7"},
			"400 InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 7 for the launch template with ID " + id + "."},
		"launch": {"RunInstances", []string{"LaunchTemplate.LaunchTemplateId", id, "LaunchTemplate.Version", "seven", "MinCount", "1", "MaxCount", "1"},
			"400 InvalidParameterValue: Invalid launch template version: 'seven'. Expecting a number, $Latest or $Default."},
	} {
		if got := c.fault(test.action, test.pairs...); got != test.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, test.want)
		}
	}
}

func TestALaunchTemplateWarnsOfWhatCannotLaunch(t *testing.T) {
	c := openTest(t)
	answer := c.ok("CreateLaunchTemplate", "LaunchTemplateName", "web", "LaunchTemplateData.ImageId", "ami-22de994a")
	if got, want := answer.text("warning/errorSet/item/code"), "InvalidAMIID.NotFound"; got != want {
		t.Errorf("warned of %q, want %q", got, want)
	}
}

func TestALaunchTemplateIsMadeOnceForAToken(t *testing.T) {
	c := openTest(t)
	image := c.base()
	first, second := c.template("web", image, "ClientToken", "x"), c.template("web", image, "ClientToken", "x")
	if first != second {
		t.Errorf("made %s and %s", first, second)
	}
}

func TestRunInstancesFromALaunchTemplate(t *testing.T) {
	c := openTest(t)
	image := c.base()
	group := c.ok("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "web").text("groupId")
	id := c.template("web", image, "LaunchTemplateData.SecurityGroup.1", "default", "LaunchTemplateData.UserData", "aGk=",
		"LaunchTemplateData.MetadataOptions.HttpTokens", "required",
		"LaunchTemplateData.TagSpecification.1.ResourceType", "instance",
		"LaunchTemplateData.TagSpecification.1.Tag.1.Key", "Name", "LaunchTemplateData.TagSpecification.1.Tag.1.Value", "web",
		"LaunchTemplateData.TagSpecification.1.Tag.2.Key", "team", "LaunchTemplateData.TagSpecification.1.Tag.2.Value", "a")
	c.ok("CreateLaunchTemplateVersion", "LaunchTemplateId", id, "SourceVersion", "1", "LaunchTemplateData.InstanceType", "t3.large")

	answer := c.ok("RunInstances", "LaunchTemplate.LaunchTemplateName", "web", "MinCount", "1", "MaxCount", "1")
	latest := c.ok("RunInstances", "LaunchTemplate.LaunchTemplateId", id, "LaunchTemplate.Version", "$Latest", "MinCount", "1", "MaxCount", "1",
		"SecurityGroupId.1", group, "TagSpecification.1.ResourceType", "instance",
		"TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "other")
	const at = "instancesSet/item/"
	paths := []string{at + "imageId", at + "instanceType", at + "groupSet/item/groupName", at + "metadataOptions/httpTokens",
		at + "tagSet/item/key", at + "tagSet/item/value"}
	got := []map[string]string{textsAt(answer, paths...), textsAt(latest, paths...)}
	keys := "Name aws:ec2launchtemplate:id aws:ec2launchtemplate:version team"
	want := []map[string]string{
		{at + "imageId": image, at + "instanceType": "t3.micro", at + "groupSet/item/groupName": "default", at + "metadataOptions/httpTokens": "required",
			at + "tagSet/item/key": keys, at + "tagSet/item/value": "web " + id + " 1 a"},
		{at + "imageId": image, at + "instanceType": "t3.large", at + "groupSet/item/groupName": "web", at + "metadataOptions/httpTokens": "required",
			at + "tagSet/item/key": keys, at + "tagSet/item/value": "other " + id + " 2 a"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	attribute := c.ok("DescribeInstanceAttribute", "InstanceId", latest.text(at+"instanceId"), "Attribute", "userData")
	if got := attribute.text("userData/value"); got != "aGk=" {
		t.Errorf("user data %q, want the template's", got)
	}
	c.ok("DeleteTags", "ResourceId.1", latest.text(at+"instanceId"))
	left := c.ok("DescribeTags", "Filter.1.Name", "resource-id", "Filter.1.Value.1", latest.text(at+"instanceId")).texts("tagSet/item/key")
	if want := []string{"aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"}; !slices.Equal(left, want) {
		t.Errorf("tags left: %v, want %v", left, want)
	}
}

func TestLaunchTemplatesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	id := c.template("web", c.base())
	before := c.ok("DescribeLaunchTemplateVersions", "LaunchTemplateId", id)
	c.stop()
	c = openTestIn(t, dir)
	after := c.ok("DescribeLaunchTemplateVersions", "LaunchTemplateId", id)
	const at = "launchTemplateVersionSet"
	if diff := cmp.Diff(before.all(at), after.all(at)); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

func TestANewVersionIsNotKnownEverywhere(t *testing.T) {
	c := openFaulty(t, FaultRule{Action: "CreateLaunchTemplateVersion", Consistency: Span(time.Hour)})
	image := c.base()
	id := c.template("web", image)
	c.ok("CreateLaunchTemplateVersion", "LaunchTemplateId", id, "LaunchTemplateData.ImageId", image)
	if got := c.ok("DescribeLaunchTemplates").text("launchTemplates/item/latestVersionNumber"); got != "1" {
		t.Errorf("the latest version is %s, want 1", got)
	}
	got := c.fault("RunInstances", "LaunchTemplate.LaunchTemplateId", id, "LaunchTemplate.Version", "2", "MinCount", "1", "MaxCount", "1")
	want := "400 InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 2 for the launch template with ID " + id + "."
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
