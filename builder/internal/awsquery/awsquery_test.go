package awsquery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

// answer is a service that always answers the same.
func answer(t *testing.T, status int, body string) *Client {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm(); r.Form.Get("Action") != "List" || r.Form.Get("Version") != "1" || r.Form.Get("Name") != "a&b" {
			body = "asked for " + r.Form.Encode()
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return &Client{Service: "things", Setting: "THINGS", Version: "1", Config: aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}}
}

type things struct {
	Names []string `xml:"Things>member>Name"`
}

// TestCall: what comes back is the result, or an error that says why there is none.
func TestCall(t *testing.T) {
	for name, tt := range map[string]struct {
		status     int
		body, want string // the names, or the error's code
	}{
		"result":    {200, `<?xml version="1.0"?><ListResponse xmlns="x"><ListResult><Things><member><Name>a</Name></member><member><Name>b</Name></member></Things></ListResult></ListResponse>`, "[a b]"},
		"nothing":   {200, `<ListResponse><ListResult/></ListResponse>`, "[]"},
		"cut off":   {200, `<ListResponse><ListResult><Things><member>`, "*smithy.DeserializationError"},
		"no XML":    {200, ``, "*smithy.DeserializationError"},
		"refused":   {403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`, "AccessDenied"},
		"no reason": {502, `<html>`, "UnknownError"},
	} {
		var out things
		err := answer(t, tt.status, tt.body).Call(t.Context(), "List", url.Values{"Name": {"a&b"}}, &out)
		got := fmt.Sprint(out.Names)
		if api := smithy.APIError(nil); errors.As(err, &api) {
			got = api.ErrorCode()
		} else if broken := new(smithy.DeserializationError); errors.As(err, &broken) {
			got = fmt.Sprintf("%T", broken)
		} else if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", name, got, tt.want, err)
		}
	}
}

// TestCallCanceled: a call ends with its context.
func TestCallCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := answer(t, 200, "").Call(ctx, "List", url.Values{"Name": {"a&b"}}, new(things)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
