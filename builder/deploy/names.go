package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder"
)

// The tags of an environment's resources. What does not have the first two, with
// exactly these values, is never touched.
const (
	TagApplication = builder.TagApplication
	TagEnvironment = builder.TagEnvironment
	// TagRole says what a resource is for in its environment: see the roles below.
	TagRole = "imago:role"
	// TagRelease is the number of a release: that of the version of the launch
	// template that its machines are launched from.
	TagRelease = "imago:release"
	// TagRetire is when a release that serves no more is taken down, in RFC 3339.
	TagRetire = "imago:retire"
)

const (
	// tagIdle is since when a release has no traffic any more, in RFC 3339.
	tagIdle = "imago:idle-since"
	// tagServed, of the launch template, is the newest release that has been in service.
	tagServed = "imago:served"
)

// The roles of what setup makes: the network, the load balancer and its security
// group, the security group of the machines, and that of a lease.
const (
	RoleNetwork  = "network"
	RoleBalancer = "balancer"
	RoleMachines = "machines"
	RoleLease    = "lease"
)

// Tags of a release's machines, which its launch template version keeps as long
// as the release can be gone back to.
const (
	TagCommit   = "imago:commit"
	TagReleaser = "imago:released-by"
	TagReleased = "imago:released-at"
)

// tags are those of a resource of the environment with a role in it.
func (e Environment) tags(role string) []types.Tag {
	return []types.Tag{tag(TagApplication, e.Application), tag(TagEnvironment, e.Name), tag(TagRole, role)}
}

// maxName is the longest name that a load balancer or a target group may have.
const maxName = 32

// name is that of the environment's load balancer, launch template, security
// groups: application-environment, shortened when AWS would not take it.
func (e Environment) name() string { return shortened(e.Application+"-"+e.Name, maxName) }

// releaseName is that of a release's target group and auto scaling group.
func (e Environment) releaseName(number int64) string {
	n := strconv.FormatInt(number, 10)
	return shortened(e.Application+"-"+e.Name, maxName-len(n)-1) + "-" + n
}

// shortened cuts a name that is too long, and has a piece of its hash tell it
// from others that begin alike.
func shortened(name string, most int) string {
	name = cleaned(name)
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s-%s", name[:most-7], hex.EncodeToString(sum[:3]))
}

// cleaned has a hyphen for each character that the name of a load balancer may not have.
func cleaned(name string) string {
	out := []byte(name)
	for i, ch := range out {
		if (ch < '0' || ch > '9') && (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') {
			out[i] = '-'
		}
	}
	return string(out)
}
