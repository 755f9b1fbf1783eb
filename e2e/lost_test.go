package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// TestLostAnswers: the answers of all calls that make something are lost after
// their effect, once or every time. The bake makes each thing once, and leaves nothing.
func TestLostAnswers(t *testing.T) {
	actions := []string{"ImportKeyPair", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "RunInstances", "CreateImage", "CopyImage", "RegisterImage"}
	rule := func(action, more string) string {
		return fmt.Sprintf(`{"action": %q, "reset": "after"%s}`, action, more)
	}
	var once, always []string
	for _, action := range actions {
		once, always = append(once, rule(action, `, "times": 1`)), append(always, rule(action, ""))
	}
	cases := map[string]string{"all once": strings.Join(once, ","), "all always": strings.Join(always, ",")}
	if *everywhere {
		for i, action := range actions {
			cases[action+" once"], cases[action+" always"] = once[i], always[i]
		}
	}
	for name, rules := range cases {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			named := strings.Replace(template(admin+`, "ami_regions": ["eu-west-1"], "force_delete_snapshot": true`, ``), "{{timestamp}} {{uuid}}", "lost", 1)
			dir := write(t, "t.json", named, "faults.json", `{"rules": [`+rules+`]}`)
			bakeIn(t, dir) // the one that is replaced
			imago(t, dir, "local", "faults", "faults.json")
			t.Cleanup(func() {
				if r := cloud.exec(after(t), dir, "local", "faults", "off"); r.code != 0 {
					t.Errorf("faults off: exit %d\n%s", r.code, r.stderr)
				}
			})
			machines := len(allMachines(t))
			second := bakeIn(t, dir, "-force")
			removeImage(t, second.id)
			copied := describe(t, clientIn(t, "eu-west-1"), "e2e lost")
			t.Cleanup(func() { remove(t, clientIn(t, "eu-west-1"), *copied.ImageId) })
			if made := len(allMachines(t)) - machines; made != 1 {
				t.Errorf("%d machines were made, want 1\n%s", made, second.log)
			}
		})
	}
}

// allMachines are all instances that the cloud still lists, also those that are gone.
func allMachines(t *testing.T) []types.Instance {
	t.Helper()
	out, err := client(t).DescribeInstances(after(t), &ec2.DescribeInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	return instances(out)
}
