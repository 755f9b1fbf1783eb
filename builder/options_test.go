package builder

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRequests: what each option makes a build ask of AWS, field by field.
func TestRequests(t *testing.T) {
	at := time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC)
	west := func(c *Config) { c.Output.Regions = []RegionCopy{{Region: "us-west-2"}} }
	reservation := func(c Capacity, want types.CapacityReservationSpecification) request {
		return run(func(in *Instance) { in.Capacity = c }, func(in *ec2.RunInstancesInput) { in.CapacityReservationSpecification = &want })
	}
	permit := func(set func(*Output), add types.LaunchPermission) request {
		return image(set, &ec2.ModifyImageAttributeInput{
			ImageId: aws.String("ami-1"), Attribute: aws.String("launchPermission"),
			LaunchPermission: &types.LaunchPermissionModifications{Add: []types.LaunchPermission{add}},
		})
	}
	tests := map[string]request{
		"capacity_reservation_preference": reservation(Capacity{Preference: "open"}, types.CapacityReservationSpecification{CapacityReservationPreference: "open"}),
		"capacity_reservation_id": reservation(Capacity{ID: "cr-1"}, types.CapacityReservationSpecification{
			CapacityReservationTarget: &types.CapacityReservationTarget{CapacityReservationId: aws.String("cr-1")},
		}),
		"capacity_reservation_group_arn": reservation(Capacity{GroupARN: "arn:g"}, types.CapacityReservationSpecification{
			CapacityReservationTarget: &types.CapacityReservationTarget{CapacityReservationResourceGroupArn: aws.String("arn:g")},
		}),
		"license_specifications": run(func(in *Instance) { in.Licenses = []string{"arn:l"} }, func(in *ec2.RunInstancesInput) {
			in.LicenseSpecifications = []types.LicenseConfigurationRequest{{LicenseConfigurationArn: aws.String("arn:l")}}
		}),
		"enable_nitro_enclave": run(func(in *Instance) { in.Enclave = true }, func(in *ec2.RunInstancesInput) {
			in.EnclaveOptions = &types.EnclaveOptionsRequest{Enabled: aws.Bool(true)}
		}),
		"enable_nested_virtualization": run(func(in *Instance) { in.NestedVirtualization = true }, func(in *ec2.RunInstancesInput) {
			in.CpuOptions = &types.CpuOptionsRequest{NestedVirtualization: "enabled"}
		}),
		"ebs_optimized": run(func(in *Instance) { in.EBSOptimized = true }, func(in *ec2.RunInstancesInput) { in.EbsOptimized = aws.Bool(true) }),
		"enable_unlimited_credits": run(func(in *Instance) { in.UnlimitedCredits = true }, func(in *ec2.RunInstancesInput) {
			in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: aws.String("unlimited")}
		}),
		"shutdown_behavior": run(func(in *Instance) { in.ShutdownBehavior = "stop" }, func(in *ec2.RunInstancesInput) {
			in.InstanceInitiatedShutdownBehavior = types.ShutdownBehaviorStop
		}),
		"iam_instance_profile": run(func(in *Instance) { in.Profile = "baker" }, func(in *ec2.RunInstancesInput) {
			in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: aws.String("baker")}
		}),
		"placement": run(func(in *Instance) { in.Tenancy, in.HostID, in.HostResourceGroup = "host", "h-1", "arn:r" }, func(in *ec2.RunInstancesInput) {
			in.Placement = &types.Placement{Tenancy: types.TenancyHost, HostId: aws.String("h-1"), HostResourceGroupArn: aws.String("arn:r")}
		}),
		"metadata_options": run(func(in *Instance) {
			in.Metadata = Metadata{Endpoint: "disabled", Tokens: "optional", HopLimit: 3, Tags: "enabled"}
		}, func(in *ec2.RunInstancesInput) {
			in.MetadataOptions = &types.InstanceMetadataOptionsRequest{
				HttpEndpoint: "disabled", HttpTokens: "optional", HttpPutResponseHopLimit: aws.Int32(3), InstanceMetadataTags: "enabled",
			}
		}),
		"launch_block_device_mappings": run(func(in *Instance) {
			in.BlockDevices = []BlockDevice{{
				DeviceName: "/dev/xvda", SnapshotID: "snap-9", VolumeType: "io2", SizeGiB: 30, IOPS: 4000,
				Encrypted: aws.Bool(true), KMSKeyID: "alias/k", DeleteOnTermination: aws.Bool(false),
			}, {DeviceName: "/dev/sdb", VirtualName: "ephemeral0"}, {DeviceName: "/dev/sdc", NoDevice: true}}
		}, func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = []types.BlockDeviceMapping{
				{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{
					SnapshotId: aws.String("snap-9"), VolumeType: "io2", VolumeSize: aws.Int32(30), Iops: aws.Int32(4000),
					Encrypted: aws.Bool(true), KmsKeyId: aws.String("alias/k"), DeleteOnTermination: aws.Bool(false),
				}},
				{DeviceName: aws.String("/dev/sdb"), VirtualName: aws.String("ephemeral0")},
				{DeviceName: aws.String("/dev/sdc"), NoDevice: aws.String("")},
			}
		}),
		"temporary_security_group_source_cidrs": {
			change: func(c *Config) { c.Network.SourceCIDRs = []string{"0.0.0.0/0", "2001:db8::/32"} },
			want: &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String("sg-1"), IpPermissions: []types.IpPermission{{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
				IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}, Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String("2001:db8::/32")}},
			}}},
		},
		"ssh_port": {
			change: func(c *Config) { c.SSH.Port = 2222 },
			want: &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String("sg-1"), IpPermissions: []types.IpPermission{{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(2222), ToPort: aws.Int32(2222),
				IpRanges: []types.IpRange{{CidrIp: aws.String("198.51.100.7/32")}},
			}}},
		},
		"ami_users":    permit(func(o *Output) { o.Users = []string{"111122223333"} }, types.LaunchPermission{UserId: aws.String("111122223333")}),
		"ami_groups":   permit(func(o *Output) { o.Groups = []string{"all"} }, types.LaunchPermission{Group: "all"}),
		"ami_org_arns": permit(func(o *Output) { o.OrgARNs = []string{"arn:o"} }, types.LaunchPermission{OrganizationArn: aws.String("arn:o")}),
		"ami_ou_arns":  permit(func(o *Output) { o.OUARNs = []string{"arn:u"} }, types.LaunchPermission{OrganizationalUnitArn: aws.String("arn:u")}),
		"ami_product_codes": image(func(o *Output) { o.ProductCodes = []string{"code"} }, &ec2.ModifyImageAttributeInput{
			ImageId: aws.String("ami-1"), Attribute: aws.String("productCodes"), ProductCodes: []string{"code"},
		}),
		"imds_support": image(func(o *Output) { o.IMDS = "v2.0" }, &ec2.ModifyImageAttributeInput{
			ImageId: aws.String("ami-1"), Attribute: aws.String("imdsSupport"), ImdsSupport: &types.AttributeValue{Value: aws.String("v2.0")},
		}),
		"snapshot_users": image(func(o *Output) { o.SnapshotUsers, o.SnapshotGroups = []string{"111122223333"}, []string{"all"} }, &ec2.ModifySnapshotAttributeInput{
			SnapshotId: aws.String("snap-1"), Attribute: "createVolumePermission", OperationType: "add",
			UserIds: []string{"111122223333"}, GroupNames: []string{"all"},
		}),
		"deprecate_at": image(func(o *Output) { o.DeprecateAt = at }, &ec2.EnableImageDeprecationInput{ImageId: aws.String("ami-1"), DeprecateAt: &at}),
		"deregistration_protection": image(func(o *Output) { o.Protect = Protected }, &ec2.EnableImageDeregistrationProtectionInput{
			ImageId: aws.String("ami-1"), WithCooldown: aws.Bool(false),
		}),
		"deregistration_protection.with_cooldown": image(func(o *Output) { o.Protect = ProtectedFor }, &ec2.EnableImageDeregistrationProtectionInput{
			ImageId: aws.String("ami-1"), WithCooldown: aws.Bool(true),
		}),
		"ena_support": image(func(o *Output) { o.ENA = aws.Bool(true) }, &ec2.ModifyInstanceAttributeInput{
			InstanceId: aws.String("i-1"), EnaSupport: &types.AttributeBooleanValue{Value: aws.Bool(true)},
		}),
		"sriov_support": image(func(o *Output) { o.SRIOV = true }, &ec2.ModifyInstanceAttributeInput{
			InstanceId: aws.String("i-1"), SriovNetSupport: &types.AttributeValue{Value: aws.String("simple")},
		}),
		"ami_block_device_mappings": {
			change: func(c *Config) {
				c.Output.BlockDevices = []BlockDevice{{DeviceName: "/dev/sdf", SizeGiB: 3, Throughput: 125}}
			},
			want: &ec2.CreateImageInput{InstanceId: aws.String("i-1"), Name: aws.String("web 1"), BlockDeviceMappings: []types.BlockDeviceMapping{{
				DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{
					VolumeType: "gp3", VolumeSize: aws.Int32(3), Throughput: aws.Int32(125), DeleteOnTermination: aws.Bool(true),
				},
			}}},
		},
		"ami_regions": {change: west, want: copyOf(func(*ec2.CopyImageInput) {})},
		"region_kms_key_ids": {
			change: func(c *Config) {
				c.Output.Regions, c.Output.Encrypt, c.Output.KMSKeyID = []RegionCopy{{"us-west-2", "alias/west"}}, aws.Bool(true), "alias/east"
			},
			want: copyOf(func(in *ec2.CopyImageInput) { in.Encrypted, in.KmsKeyId = aws.Bool(true), aws.String("alias/west") }),
		},
		"snapshot_copy_duration_minutes": {
			change: func(c *Config) { west(c); c.Output.CopyMinutes = 30 },
			want:   copyOf(func(in *ec2.CopyImageInput) { in.SnapshotCopyCompletionDurationMinutes = aws.Int64(30) }),
		},
	}
	for option, r := range tests {
		t.Run(option, func(t *testing.T) { r.check(t) })
	}
}

// request is a change to the trivial build, and what AWS is asked because of it.
type request struct {
	change func(*Config)
	want   any
}

// run is a request for the machine. want changes what is asked for the trivial one.
func run(change func(*Instance), want func(*ec2.RunInstancesInput)) request {
	in := &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0"), InstanceType: "t3.micro", MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		InstanceInitiatedShutdownBehavior: "terminate", SecurityGroupIds: []string{"sg-1"},
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{DeleteOnTermination: aws.Bool(true)}}},
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpEndpoint: "enabled", HttpTokens: "required", HttpPutResponseHopLimit: aws.Int32(1),
		},
		CapacityReservationSpecification: &types.CapacityReservationSpecification{CapacityReservationPreference: "none"},
	}
	want(in)
	return request{func(c *Config) { change(&c.Instance) }, in}
}

// image is a request because of what the image is to be.
func image(change func(*Output), want any) request {
	return request{func(c *Config) { change(&c.Output) }, want}
}

// copyOf is a request for a copy in another region.
func copyOf(change func(*ec2.CopyImageInput)) *ec2.CopyImageInput {
	in := &ec2.CopyImageInput{Name: aws.String("web 1"), SourceImageId: aws.String("ami-1"), SourceRegion: aws.String("us-east-1")}
	change(in)
	return in
}

// check bakes, and looks for the request among those of its kind.
func (r request) check(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, west := newFake(), newFake()
		b, cfg := newBuilder(t, cloud, &fakeMachine{}), trivial()
		b.InRegion = func(string) EC2 { return west }
		r.change(&cfg)
		if _, err := b.Build(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		incidental := cmp.Options{
			cmpopts.IgnoreUnexported(ec2.RunInstancesInput{}, ec2.CopyImageInput{}, ec2.CreateImageInput{}, ec2.ModifyImageAttributeInput{}),
			cmp.FilterPath(func(p cmp.Path) bool {
				switch p.Last().String() {
				case ".TagSpecifications", ".ClientToken", ".UserData", ".KeyName", ".noSmithyDocumentSerde":
					return true
				}
				return false
			}, cmp.Ignore()),
		}
		best := ""
		for _, got := range append(cloud.calls, west.calls...) {
			if diff := cmp.Diff(r.want, got, incidental); diff == "" {
				return
			} else if best == "" || len(diff) < len(best) {
				best = diff
			}
		}
		t.Errorf("AWS is not asked for it; closest (-want +got):\n%s", best)
	})
}
