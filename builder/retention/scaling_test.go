package retention

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/awserr"
)

const groupsPage = `<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
<DescribeAutoScalingGroupsResult><AutoScalingGroups>%s</AutoScalingGroups>%s</DescribeAutoScalingGroupsResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeAutoScalingGroupsResponse>`

// pages are what Auto Scaling answers, by action and token.
var pages = map[string]string{
	"DescribeAutoScalingGroups ": fmt.Sprintf(groupsPage, `<member><AutoScalingGroupName>web</AutoScalingGroupName>
<LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><LaunchTemplateName>web</LaunchTemplateName><Version>$Latest</Version></LaunchTemplate>
<Instances><member><InstanceId>i-1</InstanceId><LaunchTemplate><LaunchTemplateId>lt-9</LaunchTemplateId></LaunchTemplate></member></Instances>
<Tags><member><Key>imago:environment</Key><Value>production staging</Value><ResourceId>web</ResourceId></member></Tags></member>
<member><AutoScalingGroupName>old</AutoScalingGroupName><LaunchConfigurationName>lc-1</LaunchConfigurationName><Tags/></member>`, "<NextToken>2</NextToken>"),
	"DescribeAutoScalingGroups 2": fmt.Sprintf(groupsPage, `<member><AutoScalingGroupName>mixed</AutoScalingGroupName><MixedInstancesPolicy><LaunchTemplate>
<LaunchTemplateSpecification><LaunchTemplateName>web</LaunchTemplateName><Version>3</Version></LaunchTemplateSpecification>
<Overrides><member><InstanceType>m7g.large</InstanceType><LaunchTemplateSpecification><LaunchTemplateId>lt-2</LaunchTemplateId></LaunchTemplateSpecification></member>
<member><ImageId>ami-1</ImageId></member></Overrides></LaunchTemplate></MixedInstancesPolicy></member>`, ""),
	"DescribeLaunchConfigurations ": `<DescribeLaunchConfigurationsResponse><DescribeLaunchConfigurationsResult><LaunchConfigurations>
<member><LaunchConfigurationName>lc-1</LaunchConfigurationName><ImageId>ami-2</ImageId></member></LaunchConfigurations>
</DescribeLaunchConfigurationsResult></DescribeLaunchConfigurationsResponse>`,
}

// service answers as Auto Scaling, after the refusals that come first.
func service(t *testing.T, refusals ...string) (AutoScaling, *[]string) {
	var scopes []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "/")
		scopes = append(scopes, form.Get("Version")+scope[strings.IndexByte(scope, '/'):strings.IndexByte(scope, ',')])
		if len(refusals) > 0 {
			code := refusals[0]
			refusals = refusals[1:]
			w.WriteHeader(map[string]int{"Throttling": 400, "AccessDenied": 403, "": 503}[code])
			if code != "" {
				fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, code)
			}
			return
		}
		io.WriteString(w, pages[form.Get("Action")+" "+form.Get("NextToken")])
	}))
	t.Cleanup(s.Close)
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")}
	new(builder.Calls).Configure(&cfg)
	return NewAutoScaling(cfg), &scopes
}

// TestAutoScaling: all pages are read, and everything in them that a group launches, also when the service is busy at first.
func TestAutoScaling(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_AUTO_SCALING", "http://127.0.0.1:1") // of the user's settings, which have no part in this
	api, scopes := service(t, "Throttling", "")
	groups, err := api.AutoScalingGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]AutoScalingGroup{
		{Name: "web", Environments: []string{"production", "staging"}, Templates: []TemplateUse{{"lt-1", "web", "$Latest"}}},
		{Name: "old", Configuration: "lc-1"},
		{Name: "mixed", Templates: []TemplateUse{{"", "web", "3"}, {"lt-2", "", ""}}, Images: []string{"ami-1"}},
	}, groups); diff != "" {
		t.Error(diff)
	}
	configurations, err := api.LaunchConfigurations(t.Context())
	if diff := cmp.Diff([]Configuration{{"lc-1", "ami-2"}}, configurations); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if want := "2011-01-01/eu-west-1/autoscaling/aws4_request"; len(*scopes) != 5 || (*scopes)[0] != want {
		t.Errorf("called with %q, want 5 of %s", *scopes, want)
	}
}

// TestAutoScalingDenied: what may not be seen is not taken for nothing.
func TestAutoScalingDenied(t *testing.T) {
	api, _ := service(t, "AccessDenied")
	if groups, err := api.AutoScalingGroups(t.Context()); !awserr.Is(err, "AccessDenied") || groups != nil {
		t.Errorf("%v, %v", groups, err)
	}
}
