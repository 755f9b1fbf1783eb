package template

import "time"

// Cleaner is the post-processor amazon-ami-management: which images are taken away once there is a new one.
type Cleaner struct {
	// Tags are what the images have that are meant, the new one too.
	Tags map[string]string

	// Keep is how many of the newest stay, and Age how old an image may grow. One of them is set.
	Keep int
	Age  time.Duration

	// Regions are those to look in. Empty: those that the build made its image in.
	Regions []string

	// DryRun says what would go, and takes nothing away.
	DryRun bool

	// Access is how AWS is reached. Without anything in it but a region: as the build does.
	Access Access
}

// identifierTag is what amazon-ami-management's identifier is a value of.
const identifierTag = "Amazon_AMI_Management_Identifier"

// readCleaner reads amazon-ami-management.
func readCleaner(o *object) *Cleaner {
	const day = 24 * time.Hour
	c := &Cleaner{
		Tags: o.pairs("tags", "", place{}), Keep: o.number("keep_releases", 1), Age: time.Duration(o.number("keep_days", 1)) * day,
		Regions: o.list("regions"), DryRun: o.boolean("dry_run"), Access: readAccess(o),
	}
	o.boolean("resolve_aliases") // parameters in launch templates are looked up in any case
	o.exclusive("identifier", "tags")
	if id := o.text("identifier"); id != "" {
		c.Tags = map[string]string{identifierTag: id}
	}
	if len(c.Tags) == 0 && !o.open("tags") && !o.open("identifier") {
		o.p.problem(o.v.pos, "%s needs identifier or tags: they say which images are meant", o.what)
	}
	o.exclusive("keep_releases", "keep_days")
	if c.Keep == 0 && c.Age == 0 && !o.told["keep_releases"] && !o.told["keep_days"] && !o.open("keep_releases") && !o.open("keep_days") {
		o.p.problem(o.v.pos, "%s needs keep_releases or keep_days: they say which images stay", o.what)
	}
	return c
}
