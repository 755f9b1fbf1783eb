package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// syncLimit is how long Route 53 may take to tell its servers of a change.
const syncLimit = 5 * time.Minute

// record has the domain be an alias of the load balancer, if it is not yet.
func (s *setup) record(ctx context.Context) error {
	if s.env.Domain == "" {
		return nil
	}
	zone, there, err := s.findRecord(ctx)
	if err != nil || s.isOurs(there) {
		return err
	}
	return s.changeRecord(ctx, zone, types.ChangeActionUpsert, s.alias())
}

// checkRecord says whether the domain leads to the load balancer already, or need
// not; and refuses one that leads elsewhere, before anything is changed.
func (s *setup) checkRecord(ctx context.Context) (led bool, err error) {
	if s.env.Domain == "" {
		return true, nil
	}
	_, there, err := s.findRecord(ctx)
	switch {
	case err != nil:
		return false, err
	case there != nil && !s.isOurs(there) && !s.Force:
		return false, fmt.Errorf("%s is in DNS already, and leads elsewhere (%s): with --force it leads here", s.env.Domain, leadsTo(*there))
	}
	return s.isOurs(there), nil
}

// isOurs says whether a record leads to the environment's load balancer.
func (s *setup) isOurs(there *types.ResourceRecordSet) bool {
	return there != nil && s.found.balancer != nil && sameAlias(*there, s.alias())
}

func (s *setup) changeRecord(ctx context.Context, zone string, action types.ChangeAction, set types.ResourceRecordSet) error {
	var change string
	what := "has " + s.env.Domain + " lead to the load balancer"
	if action == types.ChangeActionDelete {
		what = "deleted " + s.env.Domain + " in DNS"
	}
	err := s.made(ctx, what, func() error {
		out, err := s.DNS.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: action, ResourceRecordSet: &set}}},
		})
		if err == nil {
			change = *out.ChangeInfo.Id
		}
		return err
	})
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	return poll.Until(limited, poll.Seconds(), func(ctx context.Context) (bool, error) {
		out, err := s.DNS.GetChange(ctx, &route53.GetChangeInput{Id: &change})
		if err != nil {
			return false, fmt.Errorf("wait for Route 53: %w", err)
		}
		return out.ChangeInfo.Status == types.ChangeStatusInsync, nil
	})
}

func (s *setup) alias() types.ResourceRecordSet {
	lb := s.found.balancer
	return types.ResourceRecordSet{
		Name: &s.env.Domain, Type: types.RRTypeA,
		AliasTarget: &types.AliasTarget{DNSName: lb.DNSName, HostedZoneId: lb.CanonicalHostedZoneId},
	}
}

// findRecord finds the zone, and what the domain is in it; nil when it is not there.
func (s *setup) findRecord(ctx context.Context) (zone string, there *types.ResourceRecordSet, err error) {
	if zone, err = s.findZone(ctx); err != nil {
		return "", nil, err
	}
	out, err := s.DNS.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: &s.env.Domain})
	if err != nil {
		return "", nil, fmt.Errorf("read the records of zone %s: %w", zone, err)
	}
	for _, set := range out.ResourceRecordSets {
		if sameName(aws.ToString(set.Name), s.env.Domain) && (set.Type == types.RRTypeA || set.Type == types.RRTypeCname) {
			return zone, &set, nil
		}
	}
	return zone, nil, nil
}

// findZone is the hosted zone that the environment names, or the one with the
// longest name that the domain is in.
func (s *setup) findZone(ctx context.Context) (string, error) {
	if strings.HasPrefix(s.env.Zone, "Z") && !strings.Contains(s.env.Zone, ".") {
		return s.env.Zone, nil
	}
	names := []string{s.env.Zone}
	if s.env.Zone == "" {
		names = nil
		for name := s.env.Domain; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
			names = append(names, name)
		}
	}
	for _, name := range names {
		out, err := s.DNS.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: &name})
		if err != nil {
			return "", fmt.Errorf("read the hosted zones: %w", err)
		}
		for _, z := range out.HostedZones { // those of the name come first
			if sameName(aws.ToString(z.Name), name) && (z.Config == nil || !z.Config.PrivateZone) {
				return strings.TrimPrefix(*z.Id, "/hostedzone/"), nil
			}
		}
	}
	return "", fmt.Errorf("%w for %s: make one, or leave domain out and point it at the load balancer yourself", errNoZone, s.env.Domain)
}

// errNoZone says that nobody can have put the domain into DNS.
var errNoZone = errors.New("Route 53 has no hosted zone")

func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

func sameAlias(a, b types.ResourceRecordSet) bool {
	return a.AliasTarget != nil && a.Type == b.Type &&
		sameName(strings.TrimPrefix(aws.ToString(a.AliasTarget.DNSName), "dualstack."), aws.ToString(b.AliasTarget.DNSName))
}

// leadsTo says in short what a record says.
func leadsTo(set types.ResourceRecordSet) string {
	if set.AliasTarget != nil {
		return "an alias of " + aws.ToString(set.AliasTarget.DNSName)
	}
	var all []string
	for _, r := range set.ResourceRecords {
		all = append(all, aws.ToString(r.Value))
	}
	return string(set.Type) + " " + strings.Join(all, ", ")
}
