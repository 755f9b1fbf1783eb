package template

import "slices"

// stepOptions are the provisioners'.
func stepOptions() []Option {
	var all []Option
	for _, kind := range []string{"file", "shell", "shell-local", "breakpoint", "sleep"} {
		all = append(all, group("provisioner "+kind, "Provisioners: "+kind, slices.Concat(ownOptions(kind), commonOptions())...)...)
	}
	return all
}

// commonOptions are what all provisioners have.
func commonOptions() []row {
	return []row{
		{"only", Implemented, "builds that it is for", "TestSelection"},
		{"except", Implemented, "builds that it is not for", ""},
		{"override", Implemented, "other options for some builds", ""},
		{"pause_before", Implemented, "before each try", ""},
		{"timeout", Implemented, "of one try", ""},
		{"max_retries", Implemented, "further tries", ""},
		{"continue_on_error", Refused, "end the script with || true, or list valid_exit_codes", ""},
	}
}

func ownOptions(kind string) []row {
	script := []row{
		{"inline", Implemented, "lines of a script", ""},
		{"script", Implemented, "a file", ""},
		{"scripts", Implemented, "files, one after another", ""},
		{"inline_shebang", Implemented, "by default /bin/sh -e", ""},
		{"execute_command", Implemented, "", ""},
		{"environment_vars", Implemented, "KEY=value", ""},
		{"env", Implemented, "the same as an object", ""},
		{"env_var_format", Implemented, "how {{.Vars}} writes one", ""},
		{"valid_exit_codes", Implemented, "by default 0", ""},
	}
	switch kind {
	case "file":
		return []row{
			{"content", Implemented, "a text instead of a source", ""},
			{"source", Implemented, "with a slash at its end its contents, else it itself", "TestUploadPlaces"},
			{"sources", Implemented, "several", ""},
			{"destination", Implemented, "required", "TestUploadPlaces"},
			{"direction", Implemented, "upload or download", ""},
			{"generated", Implemented, "made by an earlier step", ""},
		}
	case "shell":
		return append(script, []row{
			{"binary", Implemented, "line ends stay as they are", ""},
			{"remote_path", Implemented, "", ""},
			{"remote_folder", Implemented, "by default /tmp", ""},
			{"remote_file", Implemented, "", ""},
			{"pause_after", Implemented, "", ""},
			{"use_env_var_file", Implemented, "{{.EnvVarFile}} instead of {{.Vars}}", ""},
			{"start_retry_timeout", Implemented, "how long the start may be tried", ""},
			{"skip_clean", Implemented, "leaves the script on the machine", ""},
			{"expect_disconnect", Implemented, "the script may end the connection, as a reboot does", ""},
		}...)
	case "shell-local":
		return append(script, []row{
			{"command", Implemented, "the older name of inline, with one line", ""},
			{"only_on", Implemented, "systems that it runs on", ""},
			{"tempfile_extension", Implemented, "of the inline script's file", ""},
			{"use_linux_pathing", Implemented, "there are no other paths here", ""},
		}...)
	case "breakpoint":
		return []row{{"note", Implemented, "shown", ""}, {"disable", Implemented, "leaves it out", ""}}
	}
	return []row{{"duration", Implemented, "required", ""}}
}
