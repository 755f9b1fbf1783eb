package localcloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	amzTime    = "20060102T150405Z"
	maxSkew    = 15 * time.Minute
	scopeSuite = "aws4_request"
)

// credentials are the one pair of keys that may drive a local cloud.
type credentials struct {
	AccessKey string
	SecretKey string
}

// scope says what a signature is for.
type scope struct {
	date, region, service string
}

func (s scope) String() string {
	return strings.Join([]string{s.date, s.region, s.service, scopeSuite}, "/")
}

// authorization is the Authorization header of Signature Version 4, taken apart.
type authorization struct {
	accessKey string
	scope     scope
	signed    []string
	signature string
}

func parseAuthorization(header string) (authorization, error) {
	if header == "" {
		return authorization{}, faultf("MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	rest, found := strings.CutPrefix(header, algorithm+" ")
	if !found {
		return authorization{}, faultf("IncompleteSignature", "The Authorization header must begin with %s", algorithm)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[key] = value
	}
	for _, key := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[key] == "" {
			return authorization{}, faultf("IncompleteSignature", "Authorization header requires '%s' parameter.", key)
		}
	}
	credential := strings.Split(parts["Credential"], "/")
	if len(credential) != 5 || credential[4] != scopeSuite {
		return authorization{}, faultf("IncompleteSignature",
			"Credential must be KEY/DATE/REGION/SERVICE/%s, not '%s'", scopeSuite, parts["Credential"])
	}
	return authorization{
		accessKey: credential[0],
		scope:     scope{date: credential[1], region: credential[2], service: credential[3]},
		signed:    strings.Split(parts["SignedHeaders"], ";"),
		signature: parts["Signature"],
	}, nil
}

// verify checks that r, with this body, was signed with the keys, now, and
// returns what the signature is for. The scope is returned beside a fault too,
// as far as it could be read: the form of the answer hangs on it.
func (k credentials) verify(r *http.Request, body []byte, now time.Time) (scope, error) {
	auth, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return scope{}, err
	}
	if auth.accessKey != k.AccessKey {
		return auth.scope, faultf("AuthFailure", "AWS was not able to validate the provided access credentials")
	}
	at, err := requestTime(r, auth.scope, now)
	if err != nil {
		return auth.scope, err
	}
	if !slices.Contains(auth.signed, "host") {
		return auth.scope, faultf("SignatureDoesNotMatch", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	hash := hexHash(body)
	if given := r.Header.Get("X-Amz-Content-Sha256"); given != "" && given != hash {
		return auth.scope, faultf("SignatureDoesNotMatch",
			"The X-Amz-Content-Sha256 header is not the hash of the body that arrived.")
	}
	want := k.sign(canonical(r, auth.signed, hash), auth.scope, at)
	if !hmac.Equal([]byte(want), []byte(auth.signature)) {
		return auth.scope, faultf("SignatureDoesNotMatch", "The request signature we calculated does not match "+
			"the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	return auth.scope, nil
}

func requestTime(r *http.Request, s scope, now time.Time) (time.Time, error) {
	at, err := time.Parse(amzTime, r.Header.Get("X-Amz-Date"))
	if err != nil {
		at, err = http.ParseTime(r.Header.Get("Date"))
	}
	if err != nil {
		return time.Time{}, faultf("IncompleteSignature",
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	at = at.UTC()
	if s.date != at.Format("20060102") {
		return time.Time{}, faultf("SignatureDoesNotMatch", "Date in Credential scope does not match the date of the request.")
	}
	if now.Sub(at).Abs() > maxSkew {
		return time.Time{}, faultf("RequestExpired", "Request has expired: it is of %s, and the local cloud's clock says %s.",
			at.Format(amzTime), now.UTC().Format(amzTime))
	}
	return at, nil
}

// sign is the signature of a canonical request.
func (k credentials) sign(canonicalRequest string, s scope, at time.Time) string {
	text := strings.Join([]string{algorithm, at.Format(amzTime), s.String(), hexHash([]byte(canonicalRequest))}, "\n")
	key := []byte("AWS4" + k.SecretKey)
	for _, part := range []string{s.date, s.region, s.service, scopeSuite} {
		key = keyedHash(key, part)
	}
	return hex.EncodeToString(keyedHash(key, text))
}

// canonical is the form of a request that both sides hash.
func canonical(r *http.Request, signed []string, bodyHash string) string {
	var headers strings.Builder
	for _, name := range signed {
		headers.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method,
		canonicalPath(r.URL),
		canonicalQuery(r.URL.Query()),
		headers.String(),
		strings.Join(signed, ";"),
		bodyHash,
	}, "\n")
}

func headerValue(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(trimmed, ",")
}

// canonicalPath encodes the path a second time, as every service but S3 has it.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	return strings.ReplaceAll(awsEscape(path), "%2F", "/")
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for key, values := range query {
		for _, value := range values {
			pairs = append(pairs, awsEscape(key)+"="+awsEscape(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// awsEscape is the percent-encoding of RFC 3986: all but letters, digits, -._~
func awsEscape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func keyedHash(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
