package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/imagobuild/imago/builder/template"
)

// secretTries is how often a call is made that a server did not answer well.
const secretTries = 3

// getSecret is the one call of Secrets Manager that imago makes. The SDK's client for the service makes 90 kB of tables
// at every start, of every command.
func getSecret(ctx context.Context, cfg aws.Config, q template.SecretQuery) (template.Secret, error) {
	payload, err := json.Marshal(struct {
		SecretID     string `json:"SecretId"`
		VersionID    string `json:"VersionId,omitempty"`
		VersionStage string `json:",omitempty"`
	}{q.Name, q.VersionID, q.VersionStage})
	if err != nil {
		return template.Secret{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	for try := 1; ; try++ {
		status, body, err := callSecrets(ctx, cfg, payload)
		switch {
		case status == http.StatusOK && err == nil:
			return readSecret(body)
		case ctx.Err() != nil:
			return template.Secret{}, context.Cause(ctx)
		case err == nil && status < http.StatusInternalServerError || try == secretTries:
			return template.Secret{}, fmt.Errorf("read the secret %s: %w", q.Name, cmp.Or(err, secretError(status, body)))
		}
	}
}

func readSecret(body []byte) (template.Secret, error) {
	var out struct {
		SecretString string
		SecretBinary []byte
		VersionID    string `json:"VersionId"`
	}
	err := json.Unmarshal(body, &out)
	return template.Secret{Text: out.SecretString, Binary: out.SecretBinary, VersionID: out.VersionID}, err
}

// secretError is what the service says of a call that it did not fulfil.
func secretError(status int, body []byte) error {
	var out struct {
		Type    string `json:"__type"`
		Message string
	}
	if json.Unmarshal(body, &out) != nil || out.Type == "" {
		return fmt.Errorf("the answer is %d %s", status, http.StatusText(status))
	}
	return fmt.Errorf("%s: %s", out.Type[strings.LastIndex(out.Type, "#")+1:], out.Message)
}

// callSecrets makes one signed request.
func callSecrets(ctx context.Context, cfg aws.Config, payload []byte) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, secretsEndpoint(cfg), bytes.NewReader(payload))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return 0, nil, err
	}
	digest := sha256.Sum256(payload)
	err = v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(digest[:]), "secretsmanager", cfg.Region, time.Now())
	if err != nil {
		return 0, nil, err
	}
	client := cfg.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxFetched))
	return resp.StatusCode, body, err
}

// secretsEndpoint is where the service of the region is, unless the environment or the local cloud says otherwise.
func secretsEndpoint(cfg aws.Config) string {
	suffix := ""
	if strings.HasPrefix(cfg.Region, "cn-") {
		suffix = ".cn"
	}
	return cmp.Or(os.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"), aws.ToString(cfg.BaseEndpoint), os.Getenv("AWS_ENDPOINT_URL"),
		fmt.Sprintf("https://secretsmanager.%s.amazonaws.com%s/", cfg.Region, suffix))
}
