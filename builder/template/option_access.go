package template

// accessOptions say how to reach AWS.
func accessOptions() []Option {
	const name = "AWS access"
	vault := "pass the credentials in the environment"
	all := group(ebs, name,
		row{"access_key", Implemented, "the key to sign with; needs secret_key", ""},
		row{"secret_key", Implemented, "never shown", ""},
		row{"token", Implemented, "the session's token; never shown", ""},
		row{"profile", Implemented, "of the shared configuration", ""},
		row{"region", Implemented, "by default AWS_REGION, or the profile's", ""},
		row{"shared_credentials_file", Implemented, "~ is your home directory", ""},
		row{"assume_role", Implemented, "the role to work as", "TestAssumeRole"},
		row{"custom_endpoint_ec2", Implemented, "EC2's address", ""},
		row{"insecure_skip_tls_verify", Implemented, "takes any certificate", ""},
		row{"max_retries", Implemented, "how often a call is tried again; by default as long as there is time", ""},
		row{"aws_polling", Implemented, "max_attempts times delay_seconds bounds each wait; how often to look is not said by it", ""},
		row{"mfa_code", Refused, "get a session first, and pass it in AWS_SESSION_TOKEN", ""},
		row{"vault_aws_engine", Refused, vault, ""},
		row{"skip_credential_validation", Noticed, "credentials are not validated beforehand", ""},
		row{"skip_metadata_api_check", Noticed, "the SDK decides where credentials come from", ""},
		row{"decode_authorization_messages", Noticed, "an encoded authorization message is shown as AWS sent it", ""},
	)
	all = append(all, group("assume_role", name,
		row{"role_arn", Implemented, "required", "TestAssumeRole"},
		row{"session_name", Implemented, "by default imago", "TestAssumeRole"},
		row{"external_id", Implemented, "", "TestAssumeRole"},
		row{"duration_seconds", Implemented, "by default the service's", "TestAssumeRole"},
		row{"policy", Implemented, "a JSON document that narrows the role", "TestAssumeRole"},
		row{"policy_arns", Implemented, "policies that narrow the role", "TestAssumeRole"},
		row{"tags", Implemented, "of the session", "TestAssumeRole"},
		row{"transitive_tag_keys", Implemented, "tags that further sessions inherit", "TestAssumeRole"},
	)...)
	all = append(all, group("aws_polling", name,
		row{"max_attempts", Implemented, "", ""},
		row{"delay_seconds", Implemented, "by default 15", ""},
	)...)
	return append(all, group("vault_aws_engine", name,
		row{"name", Refused, vault, ""}, row{"engine_name", Refused, vault, ""}, row{"role_arn", Refused, vault, ""}, row{"ttl", Refused, vault, ""},
	)...)
}

// internalOptions are what Packer says to its plug-ins in their own configuration.
func internalOptions() []Option {
	const why = "Packer writes it for its plug-ins; nothing reads it here"
	return group(ebs, "Packer's own",
		row{"packer_build_name", Noticed, why, ""}, row{"packer_builder_type", Noticed, why, ""}, row{"packer_core_version", Noticed, why, ""},
		row{"packer_debug", Noticed, why, ""}, row{"packer_force", Noticed, why, ""}, row{"packer_on_error", Noticed, why, ""},
		row{"packer_user_variables", Noticed, why, ""}, row{"packer_sensitive_variables", Noticed, why, ""},
	)
}
