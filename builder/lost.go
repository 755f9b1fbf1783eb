package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// lost is the end of a call whose answer was lost: it looks for the thing that
// AWS may have made, for as long as AWS may take to list it. Without one, the
// call's own error counts.
func (e *estate) lost(ctx context.Context, t thing, why error) (thing, error) {
	defer e.b.span(SpanAWS, "look for %s %s", t.kind, t.name)()
	found, err := e.seek(ctx, t, time.Now().Add(visible))
	switch {
	case err != nil:
		e.doubt(t, err)
		return thing{}, why
	case found.id == "":
		return thing{}, why
	}
	e.b.note("AWS's answer was lost; it has made %s", found)
	return found, nil
}

// doubt remembers what may be there without our knowing it.
func (e *estate) doubt(t thing, why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubts = append(e.doubts, fmt.Sprintf("%s %s (perhaps; AWS cannot be asked: %v)", t.kind, t.name, why))
}

// leftovers are what may be there without our knowing it.
func (e *estate) leftovers() error {
	if len(e.doubts) == 0 {
		return nil
	}
	return &LeakError{Resources: e.doubts, Err: errors.New("AWS did not say whether it made it")}
}

// seek looks for a thing of this build by its name until it is there, its name
// turns out to be another's, or it is late; then there is none. A canceled build
// seeks too. The error is why AWS cannot be asked.
func (e *estate) seek(ctx context.Context, t thing, late time.Time) (found thing, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createLimit)
	defer cancel()
	err = poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		all, err := look(ctx, t, e.id)
		over := !time.Now().Before(late)
		if err != nil {
			answered := errors.As(err, new(smithy.APIError))
			if over || answered {
				return true, err
			}
			return false, nil // the network may come back
		}
		for _, l := range all {
			if l.build == e.id && !l.ended {
				found = l.thing
			}
		}
		return over || len(all) > 0, nil
	})
	return found, err
}

// listed is a thing as AWS lists it, and the build that it says it is of. A
// machine is listed for an hour after it has ended.
type listed struct {
	thing
	build string
	ended bool
}

// look lists what has a thing's kind and name, or without a name what is of the build.
func look(ctx context.Context, t thing, build string) (all []listed, err error) {
	add := func(id *string, tags []types.Tag) {
		l := listed{thing: t, build: tagOf(tags, TagBuild)}
		l.id, l.fingerprint = aws.ToString(id), tagOf(tags, TagFingerprint)
		all = append(all, l)
	}
	filters := func(name string) []types.Filter {
		if t.name == "" {
			return []types.Filter{{Name: aws.String("tag:" + TagBuild), Values: []string{build}}}
		}
		return []types.Filter{{Name: &name, Values: []string{literal(t.name)}}}
	}
	switch t.kind {
	case KindProfile:
		return lookForProfiles(ctx, t, build)
	case KindKeyPair:
		out, err := t.cloud.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: filters("key-name")})
		if err != nil {
			return nil, err
		}
		for _, k := range out.KeyPairs {
			add(k.KeyName, k.Tags)
			all[len(all)-1].tagged = aws.ToString(k.KeyPairId)
		}
	case KindGroup:
		out, err := t.cloud.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters("group-name")})
		if err != nil {
			return nil, err
		}
		for _, g := range out.SecurityGroups {
			add(g.GroupId, g.Tags)
		}
	case KindInstance:
		out, err := t.cloud.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters("client-token")})
		if err != nil {
			return nil, err
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				add(i.InstanceId, i.Tags)
				l := &all[len(all)-1]
				l.account, l.ended = aws.ToString(r.OwnerId), i.State.Name == types.InstanceStateNameTerminated
			}
		}
	case KindImage:
		out, err := t.cloud.DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: filters("name")})
		if err != nil {
			return nil, err
		}
		for _, i := range out.Images {
			add(i.ImageId, i.Tags)
		}
	}
	return all, nil
}
