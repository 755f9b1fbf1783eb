package template

import (
	"time"
)

// Access says how to reach AWS: Packer's access options. Empty fields leave it
// to the SDK's defaults.
type Access struct {
	Region, AccessKey, SecretKey, Token string
	Profile, SharedCredentialsFile      string

	// Endpoint is EC2's address (custom_endpoint_ec2).
	Endpoint string

	// InsecureTLS accepts any certificate (insecure_skip_tls_verify).
	InsecureTLS bool

	// MaxRetries is how often a call is tried again (max_retries). 0: the default.
	MaxRetries int

	AssumeRole *AssumeRole
}

// AssumeRole is the role to work as (assume_role).
type AssumeRole struct {
	RoleARN, SessionName, ExternalID string
	Policy                           string        // JSON; optional
	Duration                         time.Duration // 0: the service's default
	PolicyARNs, TransitiveTagKeys    []string
	Tags                             map[string]string // of the session
}

func readAccess(o *object) Access {
	a := Access{
		Region: o.text("region"), AccessKey: o.text("access_key"), SecretKey: o.text("secret_key"), Token: o.text("token"),
		Profile: o.text("profile"), SharedCredentialsFile: o.p.home(o.text("shared_credentials_file")),
		Endpoint: o.text("custom_endpoint_ec2"), InsecureTLS: o.boolean("insecure_skip_tls_verify"), MaxRetries: o.number("max_retries", 0),
	}
	o.p.secret(a.SecretKey)
	o.p.secret(a.Token)
	if (a.AccessKey == "") != (a.SecretKey == "") && !o.told["access_key"] && !o.told["secret_key"] {
		o.p.problem(o.v.pos, "access_key and secret_key need each other; give both, or neither to use the environment")
	}
	if r := o.object("assume_role"); r != nil {
		a.AssumeRole = readAssumeRole(r)
	}
	return a
}

func readAssumeRole(o *object) *AssumeRole {
	r := &AssumeRole{
		RoleARN: o.required("role_arn"), SessionName: o.text("session_name"), ExternalID: o.text("external_id"), Policy: o.text("policy"),
		Duration: time.Duration(o.number("duration_seconds", 0)) * time.Second, TransitiveTagKeys: o.list("transitive_tag_keys"),
		PolicyARNs: o.list("policy_arns"), Tags: o.pairs("tags", "", place{}),
	}
	o.finish()
	return r
}
