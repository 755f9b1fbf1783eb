package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/template"
)

// cleanAWS takes the caller's AWS settings away for a test.
func cleanAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// TestCredentialsAreReadAgain: what somebody has renewed in the files is found, once it is asked for.
func TestCredentialsAreReadAgain(t *testing.T) {
	cleanAWS(t)
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(token string) {
		text := "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\naws_session_token = " + token + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	c, err := newClients(t.Context(), template.Access{Region: "us-east-1", SharedCredentialsFile: file}, nil, &account{})
	if err != nil {
		t.Fatal(err)
	}
	write("new")
	var got []string
	read := func() {
		creds, err := c.config.Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, creds.SessionToken)
	}
	read()
	c.config.Credentials.(*settings).Invalidate()
	read()
	if want := []string{"old", "new"}; !slices.Equal(got, want) {
		t.Errorf("session tokens %q, want %q", got, want)
	}
}

func TestClients(t *testing.T) {
	keys := template.Access{Region: "eu-west-1", AccessKey: "AKIDEXAMPLE", SecretKey: "secret"}
	with := func(change func(*template.Access)) template.Access {
		a := keys
		change(&a)
		return a
	}
	cloud := &localcloud.Env{Endpoint: "http://127.0.0.1:4000", Region: "us-east-1", AccessKey: "AKIDLOCAL", SecretKey: "local"}
	tests := []struct {
		name   string
		access template.Access
		local  *localcloud.Env
		env    map[string]string

		region, key string
		tries       int  // 0: no bound
		here        bool // EC2 is on this computer
	}{
		{"the template's keys", keys, nil, nil, "eu-west-1", "AKIDEXAMPLE", 0, false},
		{"the environment's", template.Access{}, nil, map[string]string{
			"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"}, "us-west-2", "AKIDENV", 0, false},
		{"max_retries", with(func(a *template.Access) { a.MaxRetries = 4 }), nil, nil, "eu-west-1", "AKIDEXAMPLE", 5, false},
		{"an endpoint in the template", with(func(a *template.Access) { a.Endpoint = "http://localhost:5000" }), nil, nil, "eu-west-1", "AKIDEXAMPLE", 0, true},
		{"an endpoint in the environment", keys, nil, map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}, "eu-west-1", "AKIDEXAMPLE", 0, true},
		{"--local", keys, cloud, map[string]string{"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"}, "eu-west-1", "AKIDLOCAL", 0, true},
		{"--local, no region", template.Access{}, cloud, nil, "us-east-1", "AKIDLOCAL", 0, true},
		{"--local, another endpoint in the template", with(func(a *template.Access) { a.Endpoint = "https://ec2.example.com" }), cloud, nil, "eu-west-1", "AKIDLOCAL", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cleanAWS(t)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			c, err := newClients(t.Context(), tt.access, tt.local, &account{})
			if err != nil {
				t.Fatal(err)
			}
			creds, err := c.config.Credentials.Retrieve(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if c.config.Region != tt.region || creds.AccessKeyID != tt.key || c.account.calls.Tries != tt.tries {
				t.Errorf("region %s, key %s, %d tries; want %s, %s, %d",
					c.config.Region, creds.AccessKeyID, c.account.calls.Tries, tt.region, tt.key, tt.tries)
			}
			if got := c.account.calls.Patience > 0; got != tt.here {
				t.Errorf("little patience: %v, want %v", got, tt.here)
			}
			if got := c.builder().PublicAddress != nil; got != tt.here {
				t.Errorf("EC2 on this computer: %v, want %v", got, tt.here)
			}
		})
	}
}

// TestAssumeRole: the role's credentials are asked for with all that the template says, and used.
func TestAssumeRole(t *testing.T) {
	cleanAWS(t)
	var got url.Values
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		got = r.PostForm
		fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`+
			`<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	defer sts.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	c, err := newClients(t.Context(), template.Access{Region: "us-east-1", AccessKey: "AKIDEXAMPLE", SecretKey: "secret", AssumeRole: &template.AssumeRole{
		RoleARN: "arn:aws:iam::1:role/r", SessionName: "night", ExternalID: "e", Policy: "{}", Duration: 15 * time.Minute,
		PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, Tags: map[string]string{"Team": "web", "Run": "7"}, TransitiveTagKeys: []string{"Team"},
	}}, nil, &account{})
	if err != nil {
		t.Fatal(err)
	}
	creds, err := c.config.Credentials.Retrieve(t.Context())
	if err != nil || creds.AccessKeyID != "AKIDROLE" {
		t.Errorf("key %s (%v)", creds.AccessKeyID, err)
	}
	want := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {"arn:aws:iam::1:role/r"}, "RoleSessionName": {"night"},
		"ExternalId": {"e"}, "Policy": {"{}"}, "DurationSeconds": {"900"}, "PolicyArns.member.1.arn": {"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		"Tags.member.1.Key": {"Run"}, "Tags.member.1.Value": {"7"}, "Tags.member.2.Key": {"Team"}, "Tags.member.2.Value": {"web"},
		"TransitiveTagKeys.member.1": {"Team"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
