package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// finished are the tags of an image that imago has baked, of the image web of the application of this test.
func finished() map[string]string {
	return map[string]string{
		"imago:build": "0123456789ab", "imago:expires": "never", "imago:application": "prunes", "imago:image": "web", "imago:environment": "production",
	}
}

// copyOf makes an image by copying one, which takes no machine.
func copyOf(t *testing.T, api *ec2.Client, source, name string, tags map[string]string) (id string) {
	t.Helper()
	var all []types.Tag
	for key, value := range tags {
		all = append(all, types.Tag{Key: &key, Value: &value})
	}
	out, err := api.CopyImage(t.Context(), &ec2.CopyImageInput{
		SourceImageId: &source, SourceRegion: aws.String("us-east-1"), Name: &name,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeImage, Tags: all}, {ResourceType: types.ResourceTypeSnapshot, Tags: all}},
	})
	if err != nil {
		t.Fatal(err)
	}
	id = *out.ImageId
	t.Cleanup(func() {
		if exists(t, api, id) {
			remove(t, api, id)
		}
	})
	return id
}

// whole waits for images.
func whole(t *testing.T, api *ec2.Client, ids ...string) {
	t.Helper()
	quick := func(o *ec2.ImageAvailableWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second }
	if err := ec2.NewImageAvailableWaiter(api, quick).Wait(t.Context(), &ec2.DescribeImagesInput{ImageIds: ids}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func exists(t *testing.T, api *ec2.Client, id string) bool {
	t.Helper()
	out, err := api.DescribeImages(after(t), &ec2.DescribeImagesInput{Filters: []types.Filter{{Name: aws.String("image-id"), Values: []string{id}}}})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Images) > 0
}

// listed is what prune and images say of an image with --json.
type listed struct {
	ID, Why string
	UsedBy  []struct{ By, Release string } `json:"used_by"`
}

// pruneJSON runs prune with the bound of this test and more flags, and returns why
// images went or would go, and why others stayed.
func pruneJSON(t *testing.T, args ...string) (removed, kept map[string]string) {
	t.Helper()
	var out struct{ Remove, Keep []listed }
	text := imago(t, "", append([]string{"prune", "--local", "--application", "prunes", "--keep", "2", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	removed, kept = map[string]string{}, map[string]string{}
	for _, i := range out.Remove {
		removed[i.ID] = i.Why
	}
	for _, i := range out.Keep {
		kept[i.ID] = i.Why
	}
	return removed, kept
}

// namesakes makes 20 images that are nearly the test's, each in another respect.
func namesakes(t *testing.T) (ids []string) {
	t.Helper()
	for i := range 20 {
		tags, name := finished(), fmt.Sprint("prunes web ", 1700000000+i)
		switch i % 5 {
		case 0:
			delete(tags, "imago:build")
		case 1:
			tags["imago:build"] = "0123456789AB"
		case 2:
			tags["imago:application"] = "prunes2"
		case 3:
			tags["imago:draft-of"] = "prunes web"
		case 4:
			tags = nil
		}
		ids = append(ids, copyOf(t, client(t), baseID, name, tags))
	}
	return ids
}

// use lets something need the first images, and returns why they are to stay, and what ends that.
func use(t *testing.T, web []string) (why map[string]string, end func()) {
	t.Helper()
	api := client(t)
	run, err := api.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: &web[0], InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	id := *run.Instances[0].InstanceId
	child := copyOf(t, api, web[1], "prunes child", nil)
	permission := types.LaunchPermission{UserId: aws.String("111122223333")}
	permit(t, web[2], &types.LaunchPermissionModifications{Add: []types.LaunchPermission{permission}})
	launchTemplate(t, "prunes", web[3])
	launchTemplate(t, "prunes-group", web[4])
	awscli(t, nil, "autoscaling", "create-auto-scaling-group", "--auto-scaling-group-name", "prunes", "--min-size", "0", "--max-size", "0",
		"--launch-template", "LaunchTemplateName=prunes-group,Version=1", "--availability-zones", "us-east-1a",
		"--tags", "Key=imago:environment,Value=production,PropagateAtLaunch=false")
	end = sync.OnceFunc(func() {
		terminate(t, id)
		remove(t, api, child)
		permit(t, web[2], &types.LaunchPermissionModifications{Remove: []types.LaunchPermission{permission}})
		awscli(t, nil, "autoscaling", "delete-auto-scaling-group", "--auto-scaling-group-name", "prunes", "--force-delete")
		for _, name := range []string{"prunes", "prunes-group"} {
			if _, err := api.DeleteLaunchTemplate(after(t), &ec2.DeleteLaunchTemplateInput{LaunchTemplateName: &name}); err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(end)
	return map[string]string{
		web[0]: "in use by instance " + id, web[1]: "the parent of " + child + " (prunes child), which stays", web[2]: "shared with 111122223333",
		web[3]: "in use by launch template prunes version 1", web[4]: "the current release in production, by auto scaling group prunes",
	}, end
}

// permit changes who may launch an image.
func permit(t *testing.T, image string, change *types.LaunchPermissionModifications) {
	t.Helper()
	if _, err := client(t).ModifyImageAttribute(after(t), &ec2.ModifyImageAttributeInput{ImageId: &image, LaunchPermission: change}); err != nil {
		t.Fatal(err)
	}
}

// launchTemplate makes a launch template whose first version, which is the default, has an image, and the second another.
func launchTemplate(t *testing.T, name, image string) {
	t.Helper()
	_, err := client(t).CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: &name, LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: &image}})
	if err == nil {
		_, err = client(t).CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateName: &name, LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String(baseID)},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestPrune: what nobody needs goes, with its snapshots, and awscli finds it no
// more; what anybody needs stays until nobody does; what is nearly imago's stays.
func TestPrune(t *testing.T) {
	leavesNothing(t)
	others := namesakes(t)
	var web []string
	for i := range 8 {
		web = append(web, copyOf(t, client(t), baseID, fmt.Sprint("prunes web ", i), finished()))
	}
	whole(t, client(t), web[5])
	west := copyOf(t, clientIn(t, "us-west-2"), web[5], "prunes web 5", finished())
	why, end := use(t, web)
	whole(t, client(t), append(others, web...)...)
	whole(t, clientIn(t, "us-west-2"), west)
	why[web[6]], why[web[7]] = "one of the newest 2", "one of the newest 2"
	checkUsed(t, web)

	snapshot := snapshotOf(t, web[5])
	removed, kept := pruneJSON(t, "--plan")
	if len(removed) != 1 || removed[web[5]] != "not one of the newest 2" || !exists(t, client(t), web[5]) {
		t.Errorf("the plan removes %v", removed)
	}
	sameReasons(t, kept, why)
	if removed, kept = pruneJSON(t); len(removed) != 1 || removed[web[5]] == "" {
		t.Errorf("prune removed %v", removed)
	}
	sameReasons(t, kept, why)
	for _, args := range [][]string{{"describe-images", "--image-ids", web[5]}, {"describe-snapshots", "--snapshot-ids", snapshot}} {
		if r := cloud.awscli(t, append([]string{"ec2"}, args...)...); r.code == 0 || !strings.Contains(r.stderr, "NotFound") {
			t.Errorf("aws %q: exit %d\n%s%s", args, r.code, r.stdout, r.stderr)
		}
	}

	end()
	r := cloud.exec(t.Context(), "", "prune", "--local", "--application", "prunes", "--keep", "2", "--region", "us-east-1,us-west-2")
	went := strings.Fields(r.stdout)
	slices.Sort(went)
	want := slices.Sorted(slices.Values(web[:5]))
	if r.code != 0 || !slices.Equal(went, want) {
		t.Errorf("exit %d; stdout %q, want %q\n%s", r.code, went, want, r.stderr)
	}
	for _, id := range append(others, web[6], web[7]) {
		if !exists(t, client(t), id) {
			t.Errorf("%s is gone", id)
		}
	}
	if !exists(t, clientIn(t, "us-west-2"), west) {
		t.Error("the copy in us-west-2 is gone, the newest there")
	}
}

// checkUsed looks at what imago images says of who needs an image.
func checkUsed(t *testing.T, web []string) {
	t.Helper()
	var out struct{ Images []listed }
	text := imago(t, "", "images", "--local", "--application", "prunes", "--json")
	if err := json.Unmarshal([]byte(text), &out); err != nil || len(out.Images) != len(web)+4 { // and the drafts
		t.Fatalf("%v in %s", err, text)
	}
	for _, i := range out.Images {
		if i.ID == web[4] {
			if len(i.UsedBy) != 4 || i.UsedBy[0].Release != "the current release in production" {
				t.Errorf("%s is used by %+v", i.ID, i.UsedBy)
			}
		}
	}
}

// sameReasons compares why images stayed; drafts are not compared.
func sameReasons(t *testing.T, got, want map[string]string) {
	t.Helper()
	for id, why := range want {
		if !strings.HasPrefix(got[id], why) { // an instance's state comes after it
			t.Errorf("%s stays because %q, want %q", id, got[id], why)
		}
	}
}

func snapshotOf(t *testing.T, image string) string {
	t.Helper()
	out, err := client(t).DescribeImages(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{image}})
	if err != nil || len(out.Images) != 1 {
		t.Fatal(err)
	}
	return *out.Images[0].BlockDeviceMappings[0].Ebs.SnapshotId
}
