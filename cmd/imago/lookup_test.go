package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

// secretServer answers the n-th request with the n-th answer, and keeps what it was asked.
func secretServer(t *testing.T, answers ...string) (aws.Config, *[]string) {
	t.Helper()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		auth := r.Header.Get("Authorization")
		if r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" ||
			!strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(auth, "/eu-west-1/secretsmanager/aws4_request") {
			t.Errorf("headers %v", r.Header)
		}
		var status int
		var text string
		fmt.Sscanf(answers[len(asked)], "%d", &status)
		_, text, _ = strings.Cut(answers[len(asked)], " ")
		asked = append(asked, string(body))
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}, &asked
}

func TestSecret(t *testing.T) {
	cfg, asked := secretServer(t, `500 `, `200 {"SecretString": "s", "SecretBinary": "AQI=", "VersionId": "v", "Name": "n"}`)
	got, err := getSecret(t.Context(), cfg, template.SecretQuery{Name: "n", VersionStage: "AWSPREVIOUS"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(template.Secret{Text: "s", Binary: []byte{1, 2}, VersionID: "v"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := `{"SecretId":"n","VersionStage":"AWSPREVIOUS"}`; len(*asked) != 2 || (*asked)[1] != want || !json.Valid([]byte((*asked)[0])) {
		t.Errorf("asked %q, want %s twice", *asked, want)
	}
}

func TestNoSecret(t *testing.T) {
	for _, tt := range []struct {
		answers []string
		want    string
	}{
		{[]string{`400 {"__type": "com.amazonaws#ResourceNotFoundException", "Message": "not here"}`}, "read the secret n: ResourceNotFoundException: not here"},
		{[]string{"503 x", "503 x", "503 x"}, "read the secret n: the answer is 503 Service Unavailable"},
	} {
		cfg, asked := secretServer(t, tt.answers...)
		_, err := getSecret(t.Context(), cfg, template.SecretQuery{Name: "n"})
		if err == nil || err.Error() != tt.want || len(*asked) != len(tt.answers) {
			t.Errorf("error %v after %d calls, want %s after %d", err, len(*asked), tt.want, len(tt.answers))
		}
	}
}

func TestSecretsEndpoint(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	for region, want := range map[string]string{
		"eu-west-1": "https://secretsmanager.eu-west-1.amazonaws.com/", "cn-north-1": "https://secretsmanager.cn-north-1.amazonaws.com.cn/",
	} {
		if got := secretsEndpoint(aws.Config{Region: region}); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://here")
	if got := secretsEndpoint(aws.Config{Region: "eu-west-1"}); got != "http://here" {
		t.Error(got)
	}
}

func TestFetch(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/json":
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Add("X-A", "1")
			w.Header().Add("X-A", "2")
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("Accept"), body)
		case "/binary":
			w.Header().Set("Content-Type", "image/png")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	l := &lookup{ctx: t.Context()}
	got, err := l.Fetch(template.Request{URL: s.URL + "/json", Method: "POST", Body: "b", Headers: map[string]string{"Accept": "x/y"}})
	if err != nil || got.Body != "POST x/y b" || got.Headers["X-A"] != "1, 2" {
		t.Errorf("%+v, %v", got, err)
	}
	for path, want := range map[string]string{
		"/gone":   s.URL + "/gone answers 404 Not Found",
		"/binary": s.URL + "/binary answers with image/png; it must be text or JSON",
	} {
		if _, err := l.Fetch(template.Request{URL: s.URL + path}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
