package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	smithylog "github.com/aws/smithy-go/logging"

	"github.com/imagobuild/imago/builder/template"
)

// loadOptions turns what the template says into the SDK's options. The SDK's own
// warnings are no lines for people: what they are about is in the error, if there is one.
func loadOptions(a template.Access, region string) []func(*config.LoadOptions) error {
	o := []func(*config.LoadOptions) error{config.WithLogger(smithylog.Nop{})}
	if region != "" {
		o = append(o, config.WithDefaultRegion(region))
	}
	if a.Region != "" {
		o = append(o, config.WithRegion(a.Region))
	}
	if a.AccessKey != "" || a.SecretKey != "" {
		o = append(o, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(a.AccessKey, a.SecretKey, a.Token)))
	}
	if a.Profile != "" {
		o = append(o, config.WithSharedConfigProfile(a.Profile))
	}
	if a.SharedCredentialsFile != "" {
		o = append(o, config.WithSharedCredentialsFiles([]string{a.SharedCredentialsFile}))
	}
	if a.InsecureTLS {
		o = append(o, config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // insecure_skip_tls_verify, in so many words
		})))
	}
	return o
}

// settings are the user's credentials. Once AWS has refused some, the files that
// they came from are read again: somebody may have renewed them.
type settings struct {
	access template.Access
	region string

	mu  sync.Mutex
	now aws.CredentialsProvider
}

// Retrieve returns what the settings say.
func (s *settings) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	now := s.now
	s.mu.Unlock()
	return now.Retrieve(ctx)
}

// Invalidate reads the settings again. Settings that cannot be read change nothing.
func (s *settings) Invalidate() {
	cfg, err := config.LoadDefaultConfig(context.Background(), loadOptions(s.access, s.region)...)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = cfg.Credentials
}
