package localcloud_test

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/imagobuild/imago/builder/localcloud"
)

// TestWitnessDNS: AWS's own SDK makes a zone, an alias to a load balancer and
// weighted records in it, and Go's resolver reads them.
func TestWitnessDNS(t *testing.T) {
	cloud, _ := localcloud.OpenTest(t)
	b := newBalanced(t, cloud)
	config, ctx := sdk(cloud.Env()), t.Context()
	config.RetryMaxAttempts = losses
	client := route53.NewFromConfig(config)
	made := well(client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String("1")}))(t)
	zone := made.HostedZone.Id
	alias := func(action types.ChangeAction) types.Change {
		return types.Change{Action: action, ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String("www.example.com"), Type: types.RRTypeA,
			AliasTarget: &types.AliasTarget{DNSName: b.balancer.DNSName, HostedZoneId: b.balancer.CanonicalHostedZoneId},
		}}
	}
	weighted := func(id, address string, weight int64) types.Change {
		return types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String("two.example.com"), Type: types.RRTypeA, SetIdentifier: &id, Weight: &weight, TTL: aws.Int64(60),
			ResourceRecords: []types.ResourceRecord{{Value: &address}},
		}}
	}
	change := func(changes ...types.Change) error {
		out, err := client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: zone, ChangeBatch: &types.ChangeBatch{Changes: changes}})
		if err != nil {
			return err
		}
		got := well(client.GetChange(ctx, &route53.GetChangeInput{Id: out.ChangeInfo.Id}))(t)
		if got.ChangeInfo.Status != types.ChangeStatusInsync {
			t.Errorf("the change is %s", got.ChangeInfo.Status)
		}
		return nil
	}
	if err := change(alias(types.ChangeActionCreate), weighted("a", "192.0.2.1", 1), weighted("b", "192.0.2.2", 0)); err != nil {
		t.Fatal(err)
	}
	refused(t, change(alias(types.ChangeActionCreate)), "InvalidChangeBatch")
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, cloud.DNS())
	}}
	for name, want := range map[string]string{"www.example.com": *b.balancer.DNSName, "two.example.com": "192.0.2.1"} {
		if got, err := resolver.LookupHost(ctx, name); err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q (%v), want %s", name, got, err, want)
		}
	}
	if got, err := resolver.LookupHost(ctx, "none.example.com"); err == nil {
		t.Errorf("a name that is not there is %q", got)
	}
	if err := change(alias(types.ChangeActionDelete), types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: weighted("a", "192.0.2.1", 1).ResourceRecordSet}); err != nil {
		t.Error(err)
	}
	list := well(client.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: zone}))(t).ResourceRecordSets
	if len(list) != 3 || *list[2].SetIdentifier != "b" || list[0].Type != types.RRTypeNs || list[1].Type != types.RRTypeSoa {
		t.Errorf("the zone holds %d sets", len(list))
	}
	_, err := client.DeleteHostedZone(ctx, &route53.DeleteHostedZoneInput{Id: zone})
	refused(t, err, "HostedZoneNotEmpty")
	byName := well(client.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String("example.com")}))(t)
	if len(byName.HostedZones) != 1 || *byName.HostedZones[0].Id != *zone {
		t.Errorf("by its name there are %v", byName.HostedZones)
	}
}
