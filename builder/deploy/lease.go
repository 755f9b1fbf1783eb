package deploy

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// A lease is the right to change an environment. It is a key pair that nobody
// logs in with: AWS gives its name out once, and its id tells it from one that
// came after. As long as the holder lives, a tag of it changes each second.
type lease struct {
	of    Keys
	id    string // of the key pair
	name  string
	token string // by which a lease is known as ours whose answer was lost

	made time.Time
	mu   sync.Mutex
	seen time.Time // when AWS last said that it is ours
	lost bool
	beat int
}

const (
	// beatEvery is how often the holder renews.
	beatEvery = time.Second
	// patience is how long a holder may be silent before somebody else takes over.
	patience = 20 * time.Second
	// trusted is how long the last renewal is enough to change something. A holder
	// that was paused for longer asks first.
	trusted = 5 * time.Second
)

const (
	tagBeat   = "imago:beat"
	tagHolder = "imago:holder"
	tagToken  = "imago:token"
	tagSince  = "imago:since"
)

// HeldError says who has the lease.
type HeldError struct {
	Environment, Holder, Since string
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is being changed by %s, since %s; try again when that is over", e.Environment, e.Holder, e.Since)
}

// ErrLost says that somebody else has taken the lease over.
var ErrLost = errors.New("the lease on the environment was lost: this process was silent for too long, and another took over; nothing more was changed")

func newLease(of Keys, e Environment) *lease {
	return &lease{of: of, name: "imago-lease-" + e.name(), token: rand.Text()}
}

// take takes the lease, from a holder that is silent too. Its context ends with the lease.
func (d *Deployer) take(ctx context.Context, e Environment) (held context.Context, letGo func() error, err error) {
	l := newLease(d.Machines, e)
	for l.id == "" {
		err := l.create(ctx, e, d.Holder)
		if err != nil && !awserr.Is(err, "InvalidKeyPair.Duplicate") {
			return nil, nil, fmt.Errorf("take the lease on %s: %w", e.Name, err)
		}
		if err == nil {
			break
		}
		if err := d.outlive(ctx, e, l); err != nil {
			return nil, nil, err
		}
	}
	d.lease = l
	held, lose := context.WithCancelCause(ctx)
	// It is renewed also while what a canceled run has made is taken back.
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() { defer close(ended); l.renew(renewing, lose) }()
	d.tell(Event{Step: "lease", Text: "has the lease on " + e.Name, Change: true})
	return held, func() error { stop(); <-ended; lose(nil); return l.giveBack(ctx) }, nil
}

func (l *lease) create(ctx context.Context, e Environment, holder string) error {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	tags := append(e.tags(RoleLease), tag(tagHolder, holder), tag(tagToken, l.token), tag(tagSince, time.Now().UTC().Format(time.RFC3339)), tag(tagBeat, "0"))
	out, err := l.of.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
		KeyName: &l.name, PublicKeyMaterial: ssh.MarshalAuthorizedKey(key),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeKeyPair, Tags: tags}},
	})
	if err != nil {
		return err
	}
	l.id, l.made, l.seen = *out.KeyPairId, time.Now(), time.Now()
	return nil
}

// outlive waits until the lease's holder has been silent for long enough, and
// takes it away. It may turn out to be ours: then the answer was lost.
func (d *Deployer) outlive(ctx context.Context, e Environment, l *lease) error {
	first, err := l.find(ctx)
	switch {
	case err != nil:
		return err
	case first == nil: // it has gone, or AWS does not list it yet
		return poll.For(ctx, beatEvery/4)
	case tagOf(first.Tags, TagApplication) != e.Application || tagOf(first.Tags, TagEnvironment) != e.Name:
		return fmt.Errorf("the key pair %s has the name of this environment's lease, and not its tags: delete it, or rename the environment", l.name)
	case tagOf(first.Tags, tagToken) == l.token:
		l.id, l.made, l.seen = aws.ToString(first.KeyPairId), time.Now(), time.Now()
		return nil
	}
	id, began, told := aws.ToString(first.KeyPairId), time.Now(), false
	err = poll.Until(ctx, poll.Pace{First: beatEvery / 4, Max: beatEvery / 2}, func(ctx context.Context) (bool, error) {
		now, err := l.find(ctx)
		switch {
		case err != nil:
			return false, err
		case now == nil || aws.ToString(now.KeyPairId) != id:
			return true, nil
		case tagOf(now.Tags, tagBeat) != tagOf(first.Tags, tagBeat):
			return true, &HeldError{e.Name, tagOf(now.Tags, tagHolder), tagOf(now.Tags, tagSince)}
		}
		if !told && time.Since(began) > 3*beatEvery {
			told = true
			d.tell(Event{Step: "lease", Text: fmt.Sprintf("%s has the lease on %s and is silent; waiting whether it is still there", tagOf(now.Tags, tagHolder), e.Name)})
		}
		return time.Since(began) > patience, nil
	})
	if err != nil {
		return err
	}
	_, err = l.of.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyPairId: &id})
	return err
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func tagOf(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
