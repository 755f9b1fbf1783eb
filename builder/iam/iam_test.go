package iam

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/imagobuild/imago/builder"
)

// slow is an IAM that refuses some actions the first time, with the code of each, and says what it was asked.
func slow(t *testing.T, refuses map[string]string) (c *Client, asked *[]string) {
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := r.FormValue("Action")
		code := refuses[action]
		if *asked = append(*asked, action); code != "" {
			delete(refuses, action)
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>", code)
			return
		}
		if !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/iam/aws4_request") {
			t.Errorf("signed %s", r.Header.Get("Authorization"))
		}
		fmt.Fprintf(w, "<%sResponse><%[1]sResult/></%[1]sResponse>", action)
	}))
	t.Cleanup(s.Close)
	return New(aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")}, s.URL), asked
}

// TestSettles: what IAM does not know of yet, though it was just done, is asked for again.
func TestSettles(t *testing.T) {
	c, asked := slow(t, map[string]string{"PutRolePolicy": "NoSuchEntity", "AddRoleToInstanceProfile": "ConcurrentModification", "DeleteRole": "DeleteConflict", "CreateRole": "TooManyRequestsException"})
	if err := c.CreateProfile(t.Context(), builder.Profile{Name: "imago-1", Path: "/"}); err != nil {
		t.Error(err)
	}
	if err := c.DeleteProfile(t.Context(), "imago-1"); err != nil {
		t.Error(err)
	}
	want := []string{
		"CreateRole", "CreateRole", "PutRolePolicy", "PutRolePolicy", "CreateInstanceProfile", "AddRoleToInstanceProfile", "AddRoleToInstanceProfile",
		"RemoveRoleFromInstanceProfile", "DeleteInstanceProfile", "DeleteRolePolicy", "DeleteRole", "DeleteRole",
	}
	if !slices.Equal(*asked, want) {
		t.Errorf("asked for %q, want %q", *asked, want)
	}
}
