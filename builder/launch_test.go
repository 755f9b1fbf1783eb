package builder

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRunInput: what we ask AWS for lives in a file, so that a review of it is a diff.
func TestRunInput(t *testing.T) {
	full := trivial()
	full.Instance = Instance{
		Type: "t3.micro", Tags: map[string]string{"Team": "web", "From": "{{ .SourceAMI }}"}, VolumeTags: map[string]string{"Disk": "{{ .BuildRegion }}"},
		Profile: "deployer", EBSOptimized: true, UnlimitedCredits: true, Tenancy: "dedicated",
		BlockDevices: []BlockDevice{{DeviceName: "/dev/sdb", SizeGiB: 20, Throughput: 300, DeleteOnTermination: aws.Bool(false)}, {DeviceName: "/dev/sdc", NoDevice: true}},
		Metadata:     Metadata{Tokens: "optional", HopLimit: 2, Tags: "enabled"},
		Spot:         &Spot{MaxPrice: "0.02", Types: []string{"t3.small"}, Tags: map[string]string{"Spot": "yes"}},
	}
	full.Network = Network{AvailabilityZone: "us-east-1a", AssociatePublicIP: aws.Bool(true)}
	full.Output.Encrypt, full.Output.KMSKeyID = aws.Bool(true), "alias/mine"
	for name, cfg := range map[string]Config{"trivial": trivial(), "full": full} {
		t.Run(name, func(t *testing.T) {
			p := Plan{
				Config: cfg, ID: "0123456789ab", Expires: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
				Source: SourceImage{ID: "ami-0"}, Subnet: "subnet-1",
				Mappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{SnapshotId: aws.String("snap-0")}}},
			}
			if err := p.planTags(); err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/run-"+name+".json", runInput(p, p.berths(1)[0], "imago-0123456789ab", []string{"sg-1"}, []byte("#!/bin/sh\n")))
		})
	}
}

// golden compares v, as JSON, with a file.
func golden(t *testing.T, path string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var said any
	if err := json.Unmarshal(raw, &said); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(prune(said), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("%s (write it anew with -update):\n%s", path, diff)
	}
}

// prune leaves out what was not said.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, x any) bool { return x == nil })
		for k := range v {
			v[k] = prune(v[k])
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

// TestInstanceThatDies: a machine that ends while we wait is an error at once, with AWS's reason.
func TestInstanceThatDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		b := newBuilder(t, cloud, &fakeMachine{})
		b.PauseAt = func(_ context.Context, s Stage) {
			if s == StageConnect {
				cloud.become(types.InstanceStateNameShuttingDown)
			}
		}
		b.Dial = nil
		cfg := trivial()
		cfg.SSH.Host, cfg.SSH.Port = "127.0.0.1", 1 // nobody listens there
		_, err := b.Build(t.Context(), cfg)
		if want := "connect i-1: the instance is shutting-down: AWS gives no reason"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	})
}
