package builder

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// run launches the machine: of the first type, in the first subnet, that AWS
// has capacity for. try is how often it has been launched.
func (b *Builder) run(ctx context.Context, p Plan, a access, try int, trash *estate) (instance, error) {
	defer b.span(SpanAWS, "run instance")()
	data, err := b.userData(p, a.keys)
	if err != nil {
		return instance{}, err
	}
	denied := &CapacityError{}
	for _, at := range p.berths(try) {
		if denied.hopeless(at) {
			continue
		}
		if n := len(denied.Tried); n > 0 {
			last := denied.Tried[n-1]
			b.note("no %v to be had (%s); asking for %v", berth{kind: last.Type, subnet: last.Subnet}, reason(last.Err), at)
		}
		inst, err := b.runAt(ctx, p, runInput(p, at, a.pair, a.ids, data), a, trash)
		if !denied.deny(at, err) {
			return inst, err
		}
	}
	return instance{}, denied
}

// userData is what the machine is to read first.
func (b *Builder) userData(p Plan, k keys) ([]byte, error) {
	if k.host.Private == nil {
		return p.Config.Instance.UserData, nil
	}
	return userData(k.host, b.firstLease(p), p.Config.Instance.UserData)
}

// runAt launches the machine of one type in one subnet.
func (b *Builder) runAt(ctx context.Context, p Plan, in *ec2.RunInstancesInput, a access, trash *estate) (instance, error) {
	asked := time.Now().Round(0)
	t := thing{kind: KindInstance, name: aws.ToString(in.ClientToken), region: p.Config.Region, cloud: b.EC2}
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := settled(ctx, func(ctx context.Context) (*ec2.RunInstancesOutput, error) { return b.EC2.RunInstances(ctx, in) }, a.keys.made, a.groups.made, a.profile.made)
		if err != nil {
			return thing{}, err
		}
		t.id, t.account = aws.ToString(out.Instances[0].InstanceId), aws.ToString(out.OwnerId)
		return t, nil
	})
	if err != nil {
		return instance{}, fmt.Errorf("launch a %s: %w", in.InstanceType, err)
	}
	inst := instance{id: t.id, region: t.region, spot: p.Config.Instance.Spot != nil, made: t, asked: asked}
	if a.temporary {
		inst.temporaryKey = a.login.Public
	}
	inst.undo, err = trash.add(t, a.uses()...)
	return inst, err
}
