package template

import (
	"cmp"
	"slices"
)

// Status is what becomes of an option of Packer's.
type Status string

// The values of Status.
const (
	Implemented Status = "implemented"
	Noticed     Status = "accepted with notice" // it has no effect, and a warning says so
	Refused     Status = "refused"              // by a build; imago validate takes it as Packer does, with a warning
)

// Option is an option of Packer's, and what imago makes of it.
type Option struct {
	// Component is what has the option, in the words of messages, such as builder amazon-ebs, or the option that it is
	// below, such as metadata_options.
	Component string

	// Group is the family that it belongs to.
	Group string

	Name   string
	Status Status

	// Note says what the option does; of one that is not implemented, why, or what to do instead.
	Note string

	// Differs is the default where it is another one than Packer's on purpose. Setting the option is always obeyed.
	Differs string

	// Test is the name of a test that shows it.
	Test string
}

// OptionTable lists the options that imago knows, by group. The parser refuses and takes by it, and the documentation is
// made of it.
func OptionTable() []Option {
	all := slices.Concat(
		accessOptions(), sourceOptions(), imageOptions(), shareOptions(), machineOptions(), capacityOptions(), deviceOptions(),
		networkOptions(), sshOptions(), routeOptions(), windowsOptions(), internalOptions(), stepOptions(),
	)
	differs := defaults()
	for i := range all {
		o := &all[i]
		o.Differs = differs[o.Component+" "+o.Name]
		switch o.Status {
		case Implemented:
			o.Test = cmp.Or(o.Test, "TestOptionsAreRead")
		case Noticed:
			o.Test = cmp.Or(o.Test, "TestNoticedOptions")
		case Refused:
			o.Test = cmp.Or(o.Test, "TestRefusedOptions")
		}
	}
	return all
}

// row is an option in its group.
type row struct {
	name   string
	status Status
	note   string
	test   string // that shows more than how the option is read
}

func group(component, name string, rows ...row) []Option {
	var all []Option
	for _, r := range rows {
		all = append(all, Option{Component: component, Group: name, Name: r.name, Status: r.status, Note: r.note, Test: r.test})
	}
	return all
}

// defaults are those that are other than Packer's on purpose, in the order of the documentation.
func defaults() map[string]string {
	return map[string]string{
		ebs + " temporary_security_group_source_cidrs":       "your own address; Packer: 0.0.0.0/0",
		ebs + " metadata_options":                            "IMDSv2 alone, one hop; Packer: what the image and the account say, often IMDSv1",
		"metadata_options http_tokens":                       "required; Packer: optional",
		"metadata_options http_put_response_hop_limit":       "1",
		"launch_block_device_mappings delete_on_termination": "true; Packer: false, which leaves volumes behind",
		"ami_block_device_mappings delete_on_termination":    "true; Packer: false",
		"launch_block_device_mappings volume_type":           "gp3; Packer: what AWS takes, gp2",
		"ami_block_device_mappings volume_type":              "gp3; Packer: what AWS takes, gp2",
		ebs + " shutdown_behavior":                           "terminate, so that a machine nobody waits for ends itself; Packer: stop",
		ebs + " temporary_key_pair_type":                     "ed25519; Packer: rsa, made by AWS",
		ebs + " ssh_disable_agent_forwarding":                "the agent is lent only with ssh_agent_auth; Packer lends any that runs",
		ebs + " ssh_bastion_host":                            "its host key must be in known_hosts; Packer takes any",
		ebs + " force_deregister":                            "the older image goes when the new one is available; Packer takes it away before",
		ebs + " encrypt_boot":                                "the volumes are encrypted at launch; Packer makes a second, encrypted copy of the image",
		ebs + " ssh_handshake_attempts":                      "no bound but ssh_timeout; Packer: 10",
	}
}

// ebs is the builder, as a Component.
const ebs = "builder " + builderType

// rows are the options of a component.
func (p *parser) rows(component string) []Option {
	if p.table == nil {
		p.table = map[string][]Option{}
		for _, o := range OptionTable() {
			p.table[o.Component] = append(p.table[o.Component], o)
		}
	}
	return p.table[component]
}

// tabled refuses the options that the table refuses, and takes those that it says have no effect.
func (o *object) tabled() {
	for _, row := range o.p.rows(o.what) {
		switch row.Status {
		case Refused:
			o.unsupported(map[string]string{row.Name: row.Note})
			o.checkRefused(row.Name)
		case Noticed:
			if _, ok := o.get(row.Name); ok {
				o.p.warn("%s has no effect: %s", row.Name, row.Note)
			}
		}
	}
}

// checkRefused looks for misspelt options below a refused one, as far as the table knows what there may be.
func (o *object) checkRefused(name string) {
	v, ok := o.get(name)
	if !ok || v.kind != kindObject && v.kind != kindList || len(o.p.rows(name)) == 0 {
		return
	}
	for _, below := range o.objects(name) {
		for _, row := range o.p.rows(name) {
			below.asked[row.Name] = true
			below.checkRefused(row.Name)
		}
		below.finish()
	}
}

// former refuses options that Packer has no longer.
func (o *object) former(options map[string]string) {
	for _, name := range names(options) {
		if at, ok := o.v.member(name); ok {
			o.asked[name] = true
			o.p.problem(at.pos, "%s is no option any more; %s", name, options[name])
		}
	}
}
