package builder

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
)

// lossy is a fake that answers one action with an error, after its effect or instead of it.
type lossy struct {
	*fakeEC2
	action string
	err    error
	before bool // instead of the effect
	blind  error
}

var errReset = errors.New("connection reset by peer")

// lose calls do, and loses its answer if it is the action's.
func lose[T any](l *lossy, action string, do func() (*T, error)) (*T, error) {
	if action != l.action {
		return do()
	}
	if !l.before {
		do()
	}
	return nil, l.err
}

func (l *lossy) ImportKeyPair(ctx context.Context, in *ec2.ImportKeyPairInput, _ ...options) (*ec2.ImportKeyPairOutput, error) {
	return lose(l, "ImportKeyPair", func() (*ec2.ImportKeyPairOutput, error) { return l.fakeEC2.ImportKeyPair(ctx, in) })
}

func (l *lossy) CreateSecurityGroup(ctx context.Context, in *ec2.CreateSecurityGroupInput, _ ...options) (*ec2.CreateSecurityGroupOutput, error) {
	return lose(l, "CreateSecurityGroup", func() (*ec2.CreateSecurityGroupOutput, error) { return l.fakeEC2.CreateSecurityGroup(ctx, in) })
}

func (l *lossy) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...options) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	return lose(l, "AuthorizeSecurityGroupIngress", func() (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
		return l.fakeEC2.AuthorizeSecurityGroupIngress(ctx, in)
	})
}

func (l *lossy) RunInstances(ctx context.Context, in *ec2.RunInstancesInput, _ ...options) (*ec2.RunInstancesOutput, error) {
	return lose(l, "RunInstances", func() (*ec2.RunInstancesOutput, error) { return l.fakeEC2.RunInstances(ctx, in) })
}

func (l *lossy) CreateImage(ctx context.Context, in *ec2.CreateImageInput, _ ...options) (*ec2.CreateImageOutput, error) {
	return lose(l, "CreateImage", func() (*ec2.CreateImageOutput, error) { return l.fakeEC2.CreateImage(ctx, in) })
}

func (l *lossy) RegisterImage(ctx context.Context, in *ec2.RegisterImageInput, _ ...options) (*ec2.RegisterImageOutput, error) {
	return lose(l, "RegisterImage", func() (*ec2.RegisterImageOutput, error) { return l.fakeEC2.RegisterImage(ctx, in) })
}

func (l *lossy) DescribeKeyPairs(ctx context.Context, in *ec2.DescribeKeyPairsInput, _ ...options) (*ec2.DescribeKeyPairsOutput, error) {
	if l.blind != nil {
		return nil, l.blind
	}
	return l.fakeEC2.DescribeKeyPairs(ctx, in)
}

// TestLostAnswer: what was made though its answer was lost is found and used, and taken back once.
func TestLostAnswer(t *testing.T) {
	duplicate := &smithy.GenericAPIError{Code: "InvalidKeyPair.Duplicate"} // of the SDK's second try
	for action, err := range map[string]error{
		"ImportKeyPair": duplicate, "CreateSecurityGroup": errReset, "AuthorizeSecurityGroupIngress": errReset,
		"RunInstances": errReset, "CreateImage": errReset, "RegisterImage": errReset,
	} {
		synctest.Test(t, func(t *testing.T) {
			cloud, j, cfg := newFake(), &notes{}, trivial()
			b := newBuilder(t, cloud, &fakeMachine{})
			b.EC2, b.Journal = &lossy{fakeEC2: cloud, action: action, err: err}, j
			want, image := []string{"i-1", "key pair", "sg-1"}, "ami-1"
			if action == "RegisterImage" {
				cloud.add("ami-old", "web 1", "available")
				cfg.Output.ReplaceExisting = true
				want, image = append(want, "ami-1", "ami-old"), "ami-2"
			}
			img, err := b.Build(t.Context(), cfg)
			if err != nil || img.ID != image {
				t.Errorf("%s: image %s, error %v", action, img.ID, err)
			}
			synctest.Wait() // a look may still be under way
			slices.Sort(cloud.undone)
			slices.Sort(want)
			if !slices.Equal(cloud.undone, want) || j.said[len(j.said)-1] != "ended" {
				t.Errorf("%s: took back %q, want %q; the journal ends with %q", action, cloud.undone, want, j.said[len(j.said)-1])
			}
		})
	}
}

// TestNothingMade: when nothing is there after a lost answer, or the name is
// another's, the build says what the call said, and leaves nothing.
func TestNothingMade(t *testing.T) {
	for name, tt := range map[string]struct {
		l    lossy
		want string
	}{
		"reset before": {lossy{action: "RunInstances", err: errReset, before: true}, "launch: launch a t3.micro: connection reset by peer"},
		"taken": {lossy{action: "CreateImage", err: &smithy.GenericAPIError{Code: "InvalidAMIName.Duplicate", Message: "taken"}, before: true},
			"capture i-1: create the image: api error InvalidAMIName.Duplicate: taken"},
	} {
		synctest.Test(t, func(t *testing.T) {
			cloud := newFake()
			b := newBuilder(t, cloud, &fakeMachine{run: func(context.Context) error { cloud.add("ami-9", "web 1", "available"); return nil }})
			tt.l.fakeEC2 = cloud
			b.EC2 = &tt.l
			_, err := b.Build(t.Context(), trivial())
			checkText(t, cloud, err, tt.want)
			if slices.Contains(cloud.undone, "ami-9") {
				t.Errorf("%s: took back %q, which is not the build's", name, cloud.undone)
			}
		})
	}
}

// TestDoubt: where AWS cannot be asked what became of a call, what it may have made is named, and the journal stays.
func TestDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, j := newFake(), &notes{}
		b := newBuilder(t, cloud, &fakeMachine{})
		denied := &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "no DescribeKeyPairs"}
		b.EC2, b.Journal = &lossy{fakeEC2: cloud, action: "ImportKeyPair", err: errReset, blind: denied}, j
		_, err := b.Build(t.Context(), trivial())
		leak := new(LeakError)
		if !errors.As(err, &leak) || len(leak.What()) != 1 || !strings.HasSuffix(leak.What()[0], "(perhaps; AWS cannot be asked: api error UnauthorizedOperation: no DescribeKeyPairs)") {
			t.Errorf("error %v, want a leak of one key pair, perhaps", err)
		}
		if got := j.said[len(j.said)-1]; got != "leaked" {
			t.Errorf("the last line is %q", got)
		}
	})
}

// TestLaunchedAgain: a launch that is tried once more begins anew, with a token of its own.
func TestLaunchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFake()
		b := newBuilder(t, cloud, &fakeMachine{})
		full := &lossy{fakeEC2: cloud, action: "RunInstances", err: &smithy.GenericAPIError{Code: "InsufficientInstanceCapacity"}, before: true}
		b.EC2, b.OnError = full, Ask
		b.Ask = func(context.Context, error) Decision { full.action = ""; return DecideRetry }
		var tokens []string
		if _, err := b.Build(t.Context(), trivial()); err != nil {
			t.Fatal(err)
		}
		keys := 0
		for _, c := range cloud.calls {
			switch in := c.(type) {
			case *ec2.RunInstancesInput:
				_, try, _ := strings.Cut(*in.ClientToken, "-")
				tokens = append(tokens, try[12:])
			case *ec2.ImportKeyPairInput:
				keys++
			}
		}
		if !slices.Equal(tokens, []string{"-2"}) || keys != 2 || len(cloud.undone) != 5 {
			t.Errorf("tokens %q, %d keys, took back %q", tokens, keys, cloud.undone)
		}
	})
}
