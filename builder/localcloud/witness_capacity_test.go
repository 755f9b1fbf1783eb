package localcloud_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/localcloud"
)

// TestCapacity is the table of what is taken instead.
func TestCapacity(t *testing.T) {
	type ran struct{ Type, Zone, Token string } // of the token what each attempt has of its own
	full := func(kind, zone string) localcloud.FaultRule {
		return localcloud.FaultRule{Action: "RunInstances", InstanceType: kind, Zone: zone, Error: "InsufficientInstanceCapacity", Message: "none left"}
	}
	for name, test := range map[string]struct {
		rules []localcloud.FaultRule
		cfg   func(*builder.Config)
		calls int
		ran   []ran
		err   string
	}{
		"another type": {
			rules: []localcloud.FaultRule{full("t3.micro", ""), full("t3.small", "")},
			cfg:   func(c *builder.Config) { c.Instance.Types = []string{"t3.small", "t3a.small"} },
			calls: 3, ran: []ran{{"t3a.small", "us-east-1a", "-3"}},
		},
		"another subnet": {
			rules: []localcloud.FaultRule{full("", "us-east-1a"), full("", "us-east-1b")},
			cfg:   func(c *builder.Config) { c.Network.SubnetFilter = &builder.SubnetFilter{MostFree: true} },
			calls: 3, ran: []ran{{"t3.micro", "us-east-1c", "-3"}},
		},
		"the first type in the last subnet": {
			rules: []localcloud.FaultRule{full("", "us-east-1a"), full("t3.micro", "us-east-1b"), full("t3.micro", "us-east-1c")},
			cfg: func(c *builder.Config) {
				c.Instance.Types = []string{"t3.small"}
				c.Network.SubnetFilter = &builder.SubnetFilter{MostFree: true}
			},
			calls: 5, ran: []ran{{"t3.small", "us-east-1b", "-5"}},
		},
		"spot": {
			rules: []localcloud.FaultRule{{Action: "RunInstances", InstanceType: "t3.*", Error: "SpotMaxPriceTooLow"}},
			cfg: func(c *builder.Config) {
				c.Instance.Spot = &builder.Spot{MaxPrice: "0.01", Types: []string{"t3.micro", "t3.small", "m5.large"}}
			},
			calls: 3, ran: []ran{{"m5.large", "us-east-1a", "-3"}},
		},
		"nothing": {
			rules: []localcloud.FaultRule{full("", ""), {Action: "RunInstances", Error: "Unsupported"}},
			cfg:   func(c *builder.Config) { c.Instance.Types = []string{"t3.small"} },
			calls: 2,
			err: "launch: no machine to be had: t3.micro: InsufficientInstanceCapacity: none left; t3.small: InsufficientInstanceCapacity: none left " +
				"(try again later, or allow more: spot_instance_types, or a subnet_filter with most_free or random)",
		},
		"the account's limit": {
			rules: []localcloud.FaultRule{{Action: "RunInstances", Error: "VcpuLimitExceeded", Message: "You have requested more vCPU capacity than your current vCPU limit of 32 allows"}},
			cfg:   func(c *builder.Config) { c.Instance.Types = []string{"m5.large", "g4dn.xlarge", "g5.xlarge"} },
			calls: 2,
			err: "launch: no machine to be had: t3.micro: VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 32 allows; " +
				"g4dn.xlarge: VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 32 allows " +
				"(end machines, or ask for more under Service Quotas: types that count against the same limit of the account were not tried)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBaker(t, append([]localcloud.FaultRule{{Action: "RunInstances", Delay: localcloud.Span(time.Millisecond)}}, test.rules...)...)
			test.cfg(&b.cfg)
			var got []ran
			b.run = func() {
				for _, i := range b.instances() {
					token := strings.TrimPrefix(*i.ClientToken, "imago-")
					got = append(got, ran{string(i.InstanceType), *i.Placement.AvailabilityZone, strings.TrimLeft(token, "0123456789abcdef")})
				}
			}
			_, err := b.bake(t.Context())
			calls := struck(t, localcloud.StateDir(b.cloud))[0][0]
			text := ""
			if err != nil {
				text = err.Error()
			}
			if !slices.Equal(got, test.ran) || text != test.err || calls != test.calls {
				t.Errorf("%d calls, ran %v, error %q; want %d, %v, %q", calls, got, text, test.calls, test.ran, test.err)
			}
			b.notes = slices.DeleteFunc(b.notes, func(n string) bool { return !strings.Contains(n, "; asking for ") })
			if len(b.notes) != test.calls-1 {
				t.Errorf("%d notes of %d other calls: %q", len(b.notes), test.calls-1, b.notes)
			}
		})
	}
}
