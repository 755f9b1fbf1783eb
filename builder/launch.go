package builder

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/internal/undo"
	"github.com/imagobuild/imago/provision"
)

// instance is the temporary machine.
type instance struct {
	id       string
	region   string
	spot     bool
	made     thing
	asked    time.Time // when it was asked for, without a monotonic part: we may be asleep meanwhile
	addr     address
	identity provision.Identity

	// temporaryKey is the public key that must not stay in the image; empty when the user brought one.
	temporaryKey string
	undo         *undo.Entry
}

// keys are what the machine and we know each other by.
type keys struct {
	pair      string        // the EC2 key pair's name; empty: none
	login     provision.Key // ours, when it is temporary
	host      provision.Key // the machine's, when we chose it
	temporary bool
	made      thing // the pair, when it is temporary
}

// launch makes the temporary resources, the machine last, and waits until it runs.
func (b *Builder) launch(ctx context.Context, p Plan, trash *estate) (inst instance, err error) {
	defer b.stage(ctx, StageLaunch)(&err)
	try, err := trash.anew(ctx)
	if err != nil {
		return instance{}, err
	}
	a, err := b.makeAccess(ctx, p, trash)
	if err != nil {
		return instance{}, err
	}
	if a.profile.entry != nil {
		p.Config.Instance.Profile = a.profile.made.id
	}
	inst, err = b.run(ctx, p, a, try, trash)
	if err != nil {
		return instance{}, err
	}
	inst.addr, err = b.awaitRunning(ctx, p, inst)
	if err != nil {
		return instance{}, &Error{StageLaunch, inst.id, err}
	}
	inst.identity, err = b.identity(ctx, p, inst, a.keys)
	return inst, err
}

// makeKeys makes the key that we log in with, unless the user brought one, and
// the host key that the machine will have.
func (b *Builder) makeKeys(ctx context.Context, p Plan, trash *estate) (k keys, err error) {
	s := p.Config.SSH
	if cmp.Or(s.HostKey, HostKeyUserData) == HostKeyUserData {
		if k.host, err = provision.NewKey("imago " + p.ID); err != nil {
			return keys{}, err
		}
	}
	k.pair = s.KeyPair
	if s.KeyPair != "" || s.PrivateKey != nil || s.Password != "" || s.AgentSocket != "" {
		return k, nil
	}
	k.temporary, k.pair = true, cmp.Or(s.KeyPairName, "imago-"+p.ID)
	if s.KeyType == "rsa" {
		k.login, err = provision.NewRSAKey(k.pair, cmp.Or(s.KeyBits, 4096))
	} else {
		k.login, err = provision.NewKey(k.pair)
	}
	if err != nil {
		return keys{}, err
	}
	k.made, err = b.importKey(ctx, p, k, trash)
	return k, err
}

func (b *Builder) importKey(ctx context.Context, p Plan, k keys, trash *estate) (thing, error) {
	defer b.span(SpanAWS, "import key pair")()
	t := thing{kind: KindKeyPair, name: k.pair, region: p.Config.Region, cloud: b.EC2}
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := b.EC2.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
			KeyName: &k.pair, PublicKeyMaterial: []byte(k.login.Public),
			TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{types.ResourceTypeKeyPair: p.RunTags}),
		})
		if err != nil {
			return thing{}, err
		}
		t.id, t.tagged = k.pair, aws.ToString(out.KeyPairId)
		return t, nil
	})
	if err != nil {
		return thing{}, fmt.Errorf("import key pair %s: %w", k.pair, err)
	}
	_, err = trash.add(t)
	return t, err
}

// makeGroup makes a security group that lets us in and nobody else, unless the user named some.
func (b *Builder) makeGroup(ctx context.Context, p Plan, trash *estate) (groups, error) {
	if len(p.Groups) > 0 {
		return groups{ids: p.Groups}, nil
	}
	defer b.span(SpanAWS, "create security group")()
	t := thing{kind: KindGroup, name: "imago-" + p.ID, region: p.Config.Region, cloud: b.EC2}
	in := &ec2.CreateSecurityGroupInput{
		GroupName: &t.name, Description: aws.String("imago: SSH for one build"),
		TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{types.ResourceTypeSecurityGroup: p.RunTags}),
	}
	if p.VPC != "" {
		in.VpcId = &p.VPC
	}
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := b.EC2.CreateSecurityGroup(ctx, in)
		if err != nil {
			return thing{}, err
		}
		t.id = aws.ToString(out.GroupId)
		return t, nil
	})
	if err != nil {
		return groups{}, fmt.Errorf("create a security group: %w", err)
	}
	entry, err := trash.add(t)
	if err != nil {
		return groups{}, err
	}
	if err := b.letIn(ctx, t, sshFrom(p.CIDRs, cmp.Or(p.Config.SSH.Port, 22))); err != nil {
		return groups{}, &Error{StageLaunch, t.id, fmt.Errorf("let ourselves in: %w", err)}
	}
	return groups{[]string{t.id}, t, entry}, nil
}

// letIn gives a new group its one rule. When the answer is lost, the group says whether it has one.
func (b *Builder) letIn(ctx context.Context, group thing, rule types.IpPermission) error {
	_, err := settled(ctx, func(ctx context.Context) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
		return b.EC2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group.id, IpPermissions: []types.IpPermission{rule},
		})
	}, group)
	if err == nil || awserr.Is(err, "InvalidPermission.Duplicate") { // it was asked twice
		return nil
	}
	if refused(err) || ctx.Err() != nil {
		return err
	}
	out, lookErr := b.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group.id}})
	if lookErr != nil || len(out.SecurityGroups) != 1 || len(out.SecurityGroups[0].IpPermissions) == 0 {
		return err
	}
	return nil
}

// sshFrom lets address ranges of either family in at one port.
func sshFrom(cidrs []string, port int) types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(port)), ToPort: aws.Int32(int32(port))}
	for _, c := range cidrs {
		if strings.Contains(c, ":") {
			p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: aws.String(c)})
		} else {
			p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: aws.String(c)})
		}
	}
	return p
}

// deleteGroup deletes a security group, which AWS refuses for some seconds
// after the last machine in it is gone.
func deleteGroup(ctx context.Context, t thing) error {
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		_, err := t.cloud.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &t.id})
		if awserr.Is(err, "DependencyViolation", "InvalidGroup.InUse") || t.unseen(err) {
			return false, nil
		}
		return true, ignore(err, t.absence()...)
	})
}

// terminate ends the machine and waits for that, because its security group
// cannot go before it.
func (b *Builder) terminate(ctx context.Context, t thing) error {
	_, err := settled(ctx, func(ctx context.Context) (*ec2.TerminateInstancesOutput, error) {
		return b.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{t.id}})
	}, t)
	if err != nil {
		return ignore(err, t.absence()...)
	}
	return b.awaitTerminated(ctx, instance{id: t.id, region: t.region})
}

// identity is who we are to the machine, and how we know it.
func (b *Builder) identity(ctx context.Context, p Plan, inst instance, k keys) (provision.Identity, error) {
	s := p.Config.SSH
	id := provision.Identity{
		User: s.User, Certificate: s.Certificate, Password: s.Password,
		AgentSocket: s.AgentSocket, ForwardAgent: s.ForwardAgent,
		Bastion: s.Bastion, Proxy: s.Proxy, KeepAlive: s.KeepAlive,
		Ciphers: s.Ciphers, KeyExchanges: s.KeyExchanges, PTY: s.PTY,
		LocalTunnels: s.LocalTunnels, RemoteTunnels: s.RemoteTunnels,
	}
	switch {
	case k.temporary:
		id.Keys = [][]byte{k.login.Private}
	case s.PrivateKey != nil:
		id.Keys = [][]byte{s.PrivateKey}
	}
	var err error
	id.HostKey, err = b.hostKey(ctx, s, inst, k)
	return id, err
}

// hostKey says how the machine is recognised.
func (b *Builder) hostKey(ctx context.Context, s SSH, inst instance, k keys) (provision.HostKey, error) {
	switch s.HostKey {
	case HostKeyFingerprint:
		return provision.HostKey{Fingerprints: s.Fingerprints}, nil
	case HostKeyOff:
		b.warn("the machine's host key is not checked: whoever is between us and it can read and change everything")
		return provision.HostKey{Insecure: true}, nil
	case HostKeyConsole:
		fingerprints, err := b.consoleFingerprints(ctx, s, inst)
		return provision.HostKey{Fingerprints: fingerprints}, err
	}
	return provision.HostKey{Key: k.host.Public}, nil
}

// consoleFingerprints waits for the machine to say on its console which host keys it has.
func (b *Builder) consoleFingerprints(ctx context.Context, s SSH, inst instance) (found []string, err error) {
	limit := cmp.Or(s.Timeout, DefaultSSHTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no host key fingerprints on the console after %v", limit))
	defer cancel()
	defer b.span(SpanAWS, "console of %s", inst.id)()
	err = poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		out, err := b.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &inst.id, Latest: aws.Bool(true)})
		if awserr.Is(err, "UnsupportedOperation", "InvalidParameterCombination") { // only some types have the latest
			out, err = b.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &inst.id})
		}
		if inst.made.unseen(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		text, err := decodeConsole(aws.ToString(out.Output))
		found = provision.FingerprintsFromConsole(text)
		return len(found) > 0, err
	})
	if err != nil {
		return nil, &Error{StageLaunch, inst.id, err}
	}
	return found, nil
}
