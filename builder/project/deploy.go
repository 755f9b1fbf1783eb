package project

import (
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/imagobuild/imago/builder/template"
)

// Deploy is the deploy block of an environment: how its releases are put into service. imago setup and imago deploy read it;
// imago bake only holds it to its rules.
type Deploy struct {
	// Image is which of the project's images is released (image). Defaults to the only one that no other is made from.
	Image string

	// InstanceType of the machines that serve (instance_type). Required.
	InstanceType string

	// Min, Max and Desired are the bounds of the auto scaling group, and what it begins with (min, max, desired).
	// Default to 1; to Desired, or DefaultMax if that is more; and to Min.
	Min, Max, Desired int

	// Domain is the name that users call, such as shop.example.com; Zone the Route 53 zone that it is in, by name or id
	// (domain, zone). Optional; Zone needs Domain.
	Domain, Zone string

	// Certificate is the ARN of an ACM certificate, for HTTPS (certificate). Optional; without one there is HTTP alone.
	Certificate string

	// Port is where the machines listen, and HealthPath what answers 200 on a healthy one (port, health_path). Default to
	// DefaultPort and DefaultHealthPath.
	Port       int
	HealthPath string

	// KeepWarm is how long the release before stays ready to be gone back to (keep_warm). Defaults to DefaultKeepWarm.
	KeepWarm time.Duration

	// Watch is how long a release is watched after it has taken over the traffic, and gone back on when it is unhealthy
	// (watch). Defaults to DefaultWatch; 0s does not watch.
	Watch time.Duration

	// Timeout is how long a release may take to become healthy (timeout). Defaults to DefaultTimeout.
	Timeout time.Duration

	// RequestsPerTarget is how many requests a machine should have in a minute; the group grows and shrinks for it
	// (requests_per_target). Optional; 0 leaves the group at its size.
	RequestsPerTarget int

	// VersionHeader is the header of an answer that names the image which answers, by its id (version_header). Defaults to
	// DefaultVersionHeader; an empty one is not looked for.
	VersionHeader string

	// Key and Profile are the key pair and the instance profile of the machines (key_name, instance_profile). Optional.
	Key, Profile string

	// VPC and Subnets are where the machines and the load balancer go (vpc_id, subnet_ids). Without a VPC, imago setup makes
	// one of the environment's own; Subnets default to one in each zone of VPC. A load balancer needs subnets in two zones.
	VPC     string
	Subnets []string
}

// The defaults of Deploy.
const (
	DefaultMax        = 4
	DefaultPort       = 80
	DefaultHealthPath = "/health"
	DefaultKeepWarm   = time.Hour
	DefaultWatch      = 5 * time.Minute
	DefaultTimeout    = 10 * time.Minute

	// DefaultVersionHeader is what the recipe carnivore has nginx answer with.
	DefaultVersionHeader = "X-Imago-Image"
)

// maxGroup is more machines than a group may have.
const maxGroup = 10_000

// readDeploy reads a deploy block; nil when there is none.
func readDeploy(doc *template.Document, b *hcl.Block) *Deploy {
	if b == nil {
		return nil
	}
	in := open(doc, b, "a deploy block", schema([]string{
		"image", "instance_type", "min", "max", "desired", "domain", "zone", "certificate", "port", "health_path",
		"keep_warm", "watch", "timeout", "requests_per_target", "version_header", "key_name", "instance_profile", "vpc_id", "subnet_ids",
	}, nil))
	d := &Deploy{
		Image: in.text("image"), InstanceType: in.text("instance_type"),
		Domain: in.text("domain"), Zone: in.text("zone"), Certificate: in.text("certificate"),
		Port: in.number("port", DefaultPort, 1, 65535), HealthPath: in.text("health_path"),
		KeepWarm: in.duration("keep_warm", DefaultKeepWarm), Watch: in.duration("watch", DefaultWatch),
		Timeout: in.duration("timeout", DefaultTimeout), RequestsPerTarget: in.number("requests_per_target", 0, 0, 1_000_000),
		VersionHeader: in.text("version_header"), Key: in.text("key_name"), Profile: in.text("instance_profile"),
		VPC: in.text("vpc_id"), Subnets: in.texts("subnet_ids"),
	}
	if !in.has("instance_type") {
		doc.Problem(b.DefRange, "a deploy block needs instance_type, such as \"t3.small\"")
	}
	if !in.has("health_path") {
		d.HealthPath = DefaultHealthPath
	}
	if !in.has("version_header") {
		d.VersionHeader = DefaultVersionHeader
	}
	d.readSizes(in)
	d.check(in)
	return d
}

// readSizes reads the bounds of the group.
func (d *Deploy) readSizes(in block) {
	d.Min = in.number("min", 1, 0, maxGroup)
	d.Desired = in.number("desired", max(d.Min, 1), 0, maxGroup)
	d.Max = in.number("max", max(d.Min, d.Desired, DefaultMax), 1, maxGroup)
	if d.Min > d.Max {
		in.wrong("min", "is %d, and max is %d; min may not be more", d.Min, d.Max)
	}
	if in.has("desired") && (d.Desired < d.Min || d.Desired > d.Max) {
		in.wrong("desired", "is %d; it must be from min, %d, to max, %d", d.Desired, d.Min, d.Max)
	}
	d.Desired = min(max(d.Desired, d.Min), d.Max)
}

// check holds the other arguments to their rules.
func (d *Deploy) check(in block) {
	if !strings.HasPrefix(d.HealthPath, "/") && d.HealthPath != "" {
		in.wrong("health_path", "is %q; it must begin with a slash, such as %q", d.HealthPath, "/"+d.HealthPath)
	}
	if strings.Contains(d.Domain, "/") {
		in.wrong("domain", "is %q; it must be a name such as shop.example.com, without https:// and without a path", d.Domain)
	}
	if in.has("zone") && !in.has("domain") {
		in.wrong("zone", "needs domain, the name in that zone")
	}
	if d.Certificate != "" && !strings.HasPrefix(d.Certificate, "arn:") {
		in.wrong("certificate", "is %q; it must be the ARN of a certificate of ACM, arn:aws:acm:…", d.Certificate)
	}
	if d.VPC != "" && !strings.HasPrefix(d.VPC, "vpc-") {
		in.wrong("vpc_id", "is %q; it must be an id, vpc-…", d.VPC)
	}
	if d.Timeout <= 0 {
		in.wrong("timeout", "is %s; a machine needs some time to start, such as \"10m\"", d.Timeout)
	}
	if strings.ContainsAny(d.VersionHeader, " :\t\r\n") {
		in.wrong("version_header", "is %q; it must be the name of a header, such as %q", d.VersionHeader, DefaultVersionHeader)
	}
	if len(d.Subnets) > 0 && d.VPC == "" {
		in.wrong("subnet_ids", "needs vpc_id, the VPC that they are in")
	}
	for _, s := range d.Subnets {
		if !strings.HasPrefix(s, "subnet-") {
			in.wrong("subnet_ids", "holds %q; they must be ids, subnet-…", s)
		}
	}
}

// checkImages holds deploy blocks to the images that there are, and fills in which one is meant.
func (f *file) checkImages() {
	top := f.tops()
	for i, e := range f.project.Environments {
		d := e.Deploy
		if d == nil {
			continue
		}
		in := f.deploys[i]
		switch {
		case d.Image != "" && !slices.Contains(f.names(), d.Image):
			f.doc.Problem(in, "image: there is no image %q%s", d.Image, template.DidYouMean(d.Image, f.names()))
		case d.Image == "" && len(top) == 1:
			d.Image = top[0]
		case d.Image == "" && len(top) > 1:
			f.doc.Problem(in, "a deploy block needs image where several could be released: %s", strings.Join(top, ", "))
		}
	}
}
