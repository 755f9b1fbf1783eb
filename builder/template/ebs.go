package template

import (
	"slices"
	"time"

	"github.com/imagobuild/imago/builder"
)

// imageFields are what tags and descriptions may refer to, as {{ .SourceAMI }}; the
// builder fills them in.
func imageFields() place {
	return place{fields: []string{
		"BuildRegion", "SourceAMI", "SourceAMICreationDate", "SourceAMIName",
		"SourceAMIOwner", "SourceAMIOwnerName", "SourceAMITags",
	}}
}

// readEBS reads an amazon-ebs builder.
func (p *parser) readEBS(v value) (builder.Config, Access) {
	o := p.object(v, "builder "+builderType)
	o.get("type")
	o.get("name")
	o.tabled()
	o.former(formerEBS())
	access := readAccess(o)
	cfg := builder.Config{
		Region:   access.Region,
		Source:   readSource(o),
		Instance: readInstance(o),
		Network:  readNetwork(o),
		SSH:      readSSH(o),
		Output:   readOutput(o),
		Waits:    readWaits(o),
	}
	if p.o.Force {
		cfg.Output.ReplaceExisting = true
	}
	o.finish()
	return cfg, access
}

func readSource(o *object) builder.Source {
	o.exclusive("source_ami", "source_ami_filter")
	id := o.text("source_ami")
	f := o.object("source_ami_filter")
	if f == nil {
		if _, ok := o.get("source_ami"); ok {
			o.need("source_ami", id != "")
		} else if !o.told["source_ami_filter"] {
			o.p.problem(o.v.pos, "%s needs source_ami or source_ami_filter", o.what)
		}
		return builder.Source{ID: id}
	}
	filter := &builder.ImageFilter{
		Filters: readFilters(f), Owners: f.list("owners"),
		MostRecent: f.boolean("most_recent"), IncludeDeprecated: f.boolean("include_deprecated"),
	}
	f.need("owners", len(filter.Owners) > 0)
	f.finish()
	return builder.Source{Filter: filter}
}

// readFilters reads the filters of a filter option, in both forms.
func readFilters(o *object) map[string][]string {
	pairs := o.pairs("filters", "filter", place{})
	if pairs == nil {
		return nil
	}
	filters := map[string][]string{}
	for name, text := range pairs {
		filters[name] = []string{text}
	}
	return filters
}

func readInstance(o *object) builder.Instance {
	in := builder.Instance{
		Type: o.text("instance_type"),
		Tags: o.pairs("run_tags", "run_tag", imageFields()), VolumeTags: o.pairs("run_volume_tags", "run_volume_tag", imageFields()),
		UserData: readUserData(o), Profile: o.text("iam_instance_profile"), ProfilePolicy: readPolicy(o), SkipProfileValidation: o.boolean("skip_profile_validation"),
		BlockDevices: readBlockDevices(o, "launch_block_device_mappings"), EBSOptimized: o.boolean("ebs_optimized"),
		ShutdownBehavior: o.oneOf("shutdown_behavior", "stop", "terminate"), Spot: readSpot(o),
		DisableStop: o.boolean("disable_stop_instance"),
	}
	in.UnlimitedCredits = o.boolean("enable_t2_unlimited") || o.boolean("enable_unlimited_credits")
	if in.Spot == nil || len(in.Spot.Types) == 0 {
		o.need("instance_type", in.Type != "")
	}
	in.Tenancy = o.text("tenancy")
	if p := o.object("placement"); p != nil {
		in.Tenancy, in.HostID, in.HostResourceGroup = p.text("tenancy"), p.text("host_id"), p.text("host_resource_group_arn")
		p.finish()
	}
	readHost(o, &in)
	if m := o.object("metadata_options"); m != nil {
		in.Metadata = builder.Metadata{
			Endpoint: m.oneOf("http_endpoint", "enabled", "disabled"), Tokens: m.oneOf("http_tokens", "required", "optional"),
			HopLimit: m.number("http_put_response_hop_limit", 1), Tags: m.oneOf("instance_metadata_tags", "enabled", "disabled"),
		}
		m.finish()
	}
	return in
}

// readUserData reads user_data, which Packer fills in, or user_data_file, which it does not.
func readUserData(o *object) []byte {
	o.exclusive("user_data", "user_data_file")
	if text := o.text("user_data"); text != "" {
		return []byte(text)
	}
	return o.file("user_data_file")
}

func readOutput(o *object) builder.Output {
	out := builder.Output{
		Name: o.text("ami_name"), Description: o.textIn("ami_description", imageFields()),
		Tags: o.pairs("tags", "tag", imageFields()), SnapshotTags: o.pairs("snapshot_tags", "snapshot_tag", imageFields()),
		Regions: readRegions(o), BlockDevices: readBlockDevices(o, "ami_block_device_mappings"),
		Users: o.list("ami_users"), Groups: o.list("ami_groups"), OrgARNs: o.list("ami_org_arns"), OUARNs: o.list("ami_ou_arns"),
		ProductCodes: o.list("ami_product_codes"), SnapshotUsers: o.list("snapshot_users"), SnapshotGroups: o.list("snapshot_groups"),
		Virtualization: o.oneOf("ami_virtualization_type", "hvm", "paravirtual"),
		ENA:            o.tristate("ena_support"), SRIOV: o.boolean("sriov_support"),
		Encrypt: o.tristate("encrypt_boot"), KMSKeyID: o.text("kms_key_id"), IMDS: o.oneOf("imds_support", "v2.0"),
		DeprecateAt: readTime(o, "deprecate_at"), Protect: readProtection(o),
		CopyMinutes: o.number("snapshot_copy_duration_minutes", 0), SkipBuildRegion: o.boolean("skip_save_build_region"),
		ReplaceExisting: o.boolean("force_deregister"), DeleteSnapshots: o.boolean("force_delete_snapshot"),
		SkipImage: o.boolean("skip_create_ami"), SkipRunTags: o.boolean("skip_ami_run_tags"),
	}
	o.need("ami_name", out.Name != "")
	if keys := o.pairs("region_kms_key_ids", "", place{}); out.KMSKeyID == "" {
		out.KMSKeyID = keys[o.text("region")]
	}
	return out
}

func readProtection(o *object) builder.Protection {
	p := o.object("deregistration_protection")
	if p == nil {
		return ""
	}
	enabled, cooldown := p.boolean("enabled"), p.boolean("with_cooldown")
	p.finish()
	switch {
	case enabled && cooldown:
		return builder.ProtectedFor
	case enabled:
		return builder.Protected
	case cooldown:
		p.p.problem(p.v.pos, "with_cooldown has no effect without enabled")
	}
	return ""
}

// readRegions joins ami_regions and region_kms_key_ids.
func readRegions(o *object) []builder.RegionCopy {
	keys := o.pairs("region_kms_key_ids", "", place{})
	var all []builder.RegionCopy
	own := o.text("region")
	for _, r := range o.list("ami_regions") {
		if slices.ContainsFunc(all, func(c builder.RegionCopy) bool { return c.Region == r }) {
			continue
		}
		if _, named := keys[r]; !named && keys != nil && r != own {
			v, _ := o.get("region_kms_key_ids")
			o.wrong(v, "region_kms_key_ids", "lacks %s, which ami_regions names; \"\" stands for the account's own key there", r)
		}
		all = append(all, builder.RegionCopy{Region: r, KMSKeyID: keys[r]})
		delete(keys, r)
	}
	for _, r := range names(keys) {
		if v, _ := o.get("region_kms_key_ids"); r != own && !o.told["ami_regions"] {
			o.wrong(v, "region_kms_key_ids", "names %s, which ami_regions does not", r)
		}
	}
	return all
}

// readTime reads a time in RFC 3339 format.
func readTime(o *object, name string) time.Time {
	text := o.text(name)
	if text == "" || o.open(name) {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		v, _ := o.get(name)
		o.wrong(v, name, "is %q; it must be a time such as 2030-01-31T00:00:00Z", text)
	}
	return t
}

// defaultPollDelay is how long one attempt of aws_polling takes when the template
// does not say.
const defaultPollDelay = 15

// readWaits turns aws_polling into bounds: how often to look is not the user's
// business here, but how long to wait is.
func readWaits(o *object) builder.Waits {
	poll := o.object("aws_polling")
	if poll == nil {
		return builder.Waits{}
	}
	attempts, delay := poll.number("max_attempts", 0), poll.number("delay_seconds", 0)
	poll.finish()
	if delay == 0 {
		delay = defaultPollDelay
	}
	wait := time.Duration(attempts*delay) * time.Second
	return builder.Waits{Running: wait, Stopped: wait, Available: wait}
}
