package builder_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/provision"
)

// A bake of an image with one script and one file, on a local cloud of its own
// (as root, on Linux). With a real account only the EC2 client differs:
// ec2.NewFromConfig with what config.LoadDefaultConfig returns.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cloud, done, err := exampleCloud(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer done()

	b := &builder.Builder{
		EC2: cloud,
		// Nothing of this cloud is open to others, so any address will do.
		PublicAddress: func(context.Context) (netip.Addr, error) { return netip.MustParseAddr("127.0.0.1"), nil },
		OnEvent: func(e builder.Event) {
			if line, ok := e.(builder.Line); ok {
				fmt.Println(line.Text)
			}
		},
	}
	image, err := b.Build(ctx, builder.Config{
		Name:   "hello",
		Region: "us-east-1",
		Source: builder.Source{ID: "ami-22de994a"},
		Instance: builder.Instance{
			Type: "t3.micro",
			Tags: map[string]string{"Team": "web"},
		},
		SSH: builder.SSH{User: "admin"},
		Steps: []builder.Step{
			builder.Upload{Trees: []provision.Tree{{Content: []byte("hello, world\n"), Dest: "/tmp/hello"}}},
			builder.Run{Scripts: []provision.Script{{Name: "show", Body: []byte("#!/bin/sh\ncat /tmp/hello\n")}}},
		},
		Output: builder.Output{Name: "hello 1"},
	})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(image.Name, "from", image.Source.ID)
	// Output:
	// hello, world
	// hello 1 from ami-22de994a
}

// exampleCloud starts a local cloud with a Debian image in it.
func exampleCloud(ctx context.Context) (client *ec2.Client, done func(), err error) {
	state, err := os.MkdirTemp("", "imago-example-")
	if err != nil {
		return nil, nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, nil, err
	}
	cloud, err := localcloud.Open(ctx, localcloud.Options{StateDir: state, CacheDir: filepath.Join(cache, "imago")})
	if err != nil {
		return nil, nil, err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- cloud.Serve(serving) }()
	done = func() {
		stop()
		if err := <-ended; err != nil {
			log.Print(err)
		}
		os.RemoveAll(state)
	}
	if _, err := cloud.AddImage(ctx, localcloud.ImageSpec{Suite: "debian-12", ID: "ami-22de994a"}); err != nil {
		done()
		return nil, nil, err
	}
	env := cloud.Env()
	return ec2.New(ec2.Options{
		Region:       env["AWS_REGION"],
		BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]),
		Credentials:  credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	}), done, nil
}
