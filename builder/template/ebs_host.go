package template

import (
	"encoding/json"

	"github.com/imagobuild/imago/builder"
)

// readSpot returns nil for an on-demand instance.
func readSpot(o *object) *builder.Spot {
	tags := o.pairs("fleet_tags", "fleet_tag", imageFields()) // no fleet is made: the request has them
	for name, text := range o.pairs("spot_tags", "spot_tag", imageFields()) {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[name] = text
	}
	s := &builder.Spot{MaxPrice: o.text("spot_price"), Types: o.list("spot_instance_types"), Tags: tags}
	if s.MaxPrice != "" && s.MaxPrice != "0" {
		o.exclusive("instance_type", "spot_instance_types")
		return s
	}
	for _, name := range []string{"spot_instance_types", "spot_tags", "spot_tag", "fleet_tags", "fleet_tag"} {
		if v, ok := o.get(name); ok && len(v.list)+len(v.members) > 0 && !o.told["spot_price"] {
			o.wrong(v, name, "needs spot_price, such as \"auto\"")
		}
	}
	return nil
}

// readHost reads what the computer under the machine must have.
func readHost(o *object, in *builder.Instance) {
	in.Capacity = builder.Capacity{
		Preference: o.oneOf("capacity_reservation_preference", "open", "none"),
		ID:         o.text("capacity_reservation_id"), GroupARN: o.text("capacity_reservation_group_arn"),
	}
	in.Enclave, in.NestedVirtualization = o.boolean("enable_nitro_enclave"), o.boolean("enable_nested_virtualization")
	for _, l := range o.objects("license_specifications") {
		if r := l.object("license_configuration_request"); r != nil {
			in.Licenses = append(in.Licenses, r.required("license_configuration_arn"))
			r.finish()
		} else {
			l.need("license_configuration_request", false)
		}
		l.finish()
	}
}

// policy is an IAM policy document, as a template may say it.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect           string
	Action, Resource []string
}

// readPolicy reads the policy of a temporary instance profile, and returns it as AWS takes it.
func readPolicy(o *object) string {
	const option = "temporary_iam_instance_profile_policy_document"
	d := o.object(option)
	if d == nil {
		return ""
	}
	o.exclusive("iam_instance_profile", option)
	p := policy{Version: d.oneOf("Version", "2012-10-17", "2008-10-17")}
	if p.Version == "" {
		p.Version = "2012-10-17"
	}
	for _, s := range d.objects("Statement") {
		p.Statement = append(p.Statement, statement{s.oneOf("Effect", "Allow", "Deny"), s.list("Action"), s.list("Resource")})
		for _, name := range []string{"Effect", "Action", "Resource"} {
			_, there := s.get(name)
			s.need(name, there)
		}
		s.finish()
	}
	d.need("Statement", len(p.Statement) > 0)
	d.finish()
	text, err := json.Marshal(p)
	if err != nil {
		o.wrong(d.v, option, "cannot be written as JSON: %s", err)
	}
	return string(text)
}
