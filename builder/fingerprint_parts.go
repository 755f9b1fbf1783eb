package builder

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imagobuild/imago/provision"
)

// imago is what this program itself brings into every image.
func (s *sealer) imago() *partSum {
	p := newPart("imago")
	p.add("format", "version", fingerprintVersion)
	p.add("how the machine is tidied up", "tidy", tidyScript)
	return p
}

func (s *sealer) source(img SourceImage) *partSum {
	p := newPart("source image %s", img.ID)
	p.add("id", "id", img.ID)
	return p
}

// options are those of the machine and of the image that the image can show.
// Where the machine is, how it is reached and paid for, and who may use the
// image do not count; names, descriptions and tags neither.
func (s *sealer) options(c Config) *partSum {
	p, in, out := newPart("options"), c.Instance, c.Output
	set := func(name string, value, usual any) { p.option(0, name, value, usual) }
	machine := in.Type
	if in.Spot != nil && len(in.Spot.Types) > 0 {
		machine = strings.Join(in.Spot.Types, ",")
	}
	set("instance_type", machine, "")
	set("user_data", s.seal(string(in.UserData)), "")
	set("iam_instance_profile", in.Profile, "")
	set("temporary_iam_instance_profile_policy_document", in.ProfilePolicy, "")
	set("enable_nitro_enclave", in.Enclave, false)
	set("enable_nested_virtualization", in.NestedVirtualization, false)
	set("launch_block_device_mappings", devices(in.BlockDevices), "")
	set("metadata_options", [4]string{
		cmp.Or(in.Metadata.Endpoint, "enabled"), cmp.Or(in.Metadata.Tokens, "required"),
		fmt.Sprint(cmp.Or(in.Metadata.HopLimit, 1)), cmp.Or(in.Metadata.Tags, "disabled"),
	}, [4]string{"enabled", "required", "1", "disabled"})
	set("disable_stop_instance", in.DisableStop, false)

	set("ssh_username", c.SSH.User, "")
	set("ssh_keypair_name", c.SSH.KeyPair, "")
	set("ssh_pty", c.SSH.PTY, false)
	set("ssh_host_key", c.SSH.HostKey == "" || c.SSH.HostKey == HostKeyUserData, true)
	set("ssh_clear_authorized_keys", c.SSH.ClearAuthorizedKeys, false)

	set("ami_block_device_mappings", devices(out.BlockDevices), "")
	set("ena_support", said(out.ENA), "")
	set("sriov_support", out.SRIOV, false)
	set("encrypt_boot", said(out.Encrypt), "")
	set("kms_key_id", out.KMSKeyID, "")
	set("imds_support", out.IMDS, "")
	set("scan", scanMode(c.Scan), ScanStop)
	set("scan_allow", quoted(slices.Sorted(slices.Values(c.Scan.Allow))), "[]")
	set("product_codes", quoted(slices.Sorted(slices.Values(out.ProductCodes))), "[]")
	return p
}

// devices describes block devices, with what is said of them by default.
func devices(all []BlockDevice) string {
	var b strings.Builder
	for _, d := range all {
		kind := cmp.Or(d.VolumeType, "gp3")
		fmt.Fprintf(&b, "%q %q %v %q %s %d %d %d %s %q %s\n", d.DeviceName, d.VirtualName, d.NoDevice, d.SnapshotID,
			kind, d.SizeGiB, d.IOPS, d.Throughput, said(d.Encrypted), d.KMSKeyID, cmp.Or(said(d.DeleteOnTermination), "true"))
	}
	return b.String()
}

// said is what was said of something that has a third value: nothing.
func said(b *bool) string {
	if b == nil {
		return ""
	}
	return fmt.Sprint(*b)
}

func quoted(all []string) string { return fmt.Sprintf("%q", all) }

// step is a step in its place. Where it is in the template does not count, the rest does.
func (s *sealer) step(i int, step Step, listings []provision.Listing) *partSum {
	p := newPart("step %d: %s", i+1, s.hide(title(step)))
	p.add("kind", "kind", fmt.Sprintf("%T", step))
	o := step.Common()
	p.option(0, "pause_before", o.PauseBefore, "0s")
	p.option(0, "timeout", o.Timeout, "0s")
	p.option(0, "max_retries", o.MaxRetries, 0)
	switch step := step.(type) {
	case Run:
		p.option(0, "pause_after", step.PauseAfter, "0s")
		for n, script := range step.Scripts {
			s.script(p, n, script)
		}
	case Upload:
		for n, t := range step.Trees {
			if n < len(listings) {
				s.tree(p, n, t, listings[n])
			} else { // what is not there yet
				p.option(n, "destination", t.Dest, "")
				p.option(n, "source", t.Source, "")
			}
		}
	case Download:
		for n, f := range step.Files {
			p.option(n, "source", f.Source, "")
			p.option(n, "destination", f.Dest, "")
		}
	case Local:
		p.add("command", "command", s.seal(step.Text))
	case Pause:
		p.option(0, "duration", step.For, "0s")
	}
	return p
}

func (s *sealer) script(p *partSum, n int, script provision.Script) {
	place, body := fmt.Sprint(n), string(script.Body)
	if !script.Binary {
		body = strings.ReplaceAll(body, "\r\n", "\n")
	}
	p.add("script "+s.hide(script.Name), "script", place, s.seal(body))
	values := map[string]string{} // the last one counts
	for _, pair := range script.Env {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.add("variable "+name, "variable", place, name, s.seal(values[name]))
	}
	p.option(n, "execute_command", s.seal(script.Command), "")
	p.option(n, "env_var_format", script.EnvFormat, "")
	p.option(n, "use_env_var_file", script.UseEnvFile, false)
	p.option(n, "remote_path", script.RemotePath, "")
	p.option(n, "remote_folder", cmp.Or(script.RemoteFolder, "/tmp"), "/tmp")
	p.option(n, "remote_file", script.RemoteFile, "")
	p.option(n, "skip_clean", script.SkipClean, false)
	codes := slices.Compact(slices.Sorted(slices.Values(script.ValidExitCodes)))
	if len(codes) > 0 {
		p.option(n, "valid_exit_codes", codes, "[0]")
	}
	p.option(n, "expect_disconnect", script.ExpectDisconnect, false)
	p.option(n, "start_retry_timeout", script.StartTimeout, "0s")
}

func (s *sealer) tree(p *partSum, n int, t provision.Tree, l provision.Listing) {
	place, dest := fmt.Sprint(n), s.hide(t.Dest)
	p.add("destination "+dest, "destination", place, s.seal(t.Dest))
	p.option(n, "sudo", t.Sudo, false)
	if t.Source == "" {
		p.add("content of "+dest, "content", place, s.seal(string(t.Content)), cmp.Or(t.Mode, 0o644).String())
		return
	}
	p.add(treeInput(t, dest), "tree", place, l.Name, l.Digest)
}

const treePrefix = "tree "

// treeInput names a tree among the inputs of its step: not by where it is on this side.
func treeInput(t provision.Tree, dest string) string {
	return treePrefix + filepath.Base(t.Source) + " to " + dest
}
