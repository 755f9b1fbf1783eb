package localcloud

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	tokenTTLHeader = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenHeader    = "X-Aws-Ec2-Metadata-Token"
	maxTokenTTL    = 21600
)

// metadataVersions are the versions of the metadata service that answer.
func metadataVersions() []string {
	return []string{
		"2009-04-04", "2016-09-02", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03", "2021-03-23", "latest",
	}
}

// imdsToken is a session of IMDSv2. It is good on the instance that asked for it.
type imdsToken struct {
	instance string
	expires  time.Time
}

// serveMetadata answers what the machines ask 169.254.169.254. Who asks is told
// by the address that the request comes from.
func (c *Cloud) serveMetadata(w http.ResponseWriter, r *http.Request) {
	status, text := c.metadataFor(w.Header(), r)
	w.Header().Set("Server", "EC2ws")
	if status != http.StatusOK {
		w.Header().Set("Content-Type", "text/html")
		text = metadataFault(status)
	} else if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	io.WriteString(w, text) //nolint:errcheck // the machine has gone
}

// metadataFor is the answer to a request, and its header.
func (c *Cloud) metadataFor(header http.Header, r *http.Request) (status int, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inst := c.instanceAt(r.RemoteAddr)
	switch {
	case inst == nil:
		return http.StatusNotFound, ""
	case inst.Metadata.Disabled:
		return http.StatusForbidden, ""
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		return c.giveToken(header, r, inst)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, ""
	case !c.admits(r, inst):
		return http.StatusUnauthorized, ""
	}
	return c.readMetadata(header, r.URL.Path, inst)
}

// instanceAt is the instance whose machine has the address.
func (c *Cloud) instanceAt(remote string) *instance {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	for _, inst := range c.state.Instances {
		if inst.PrivateIP == addr.Unmap().String() && inst.State != terminated {
			return inst
		}
	}
	return nil
}

// giveToken opens a session of IMDSv2.
func (c *Cloud) giveToken(header http.Header, r *http.Request, inst *instance) (status int, text string) {
	if r.Header.Get("X-Forwarded-For") != "" { // an open proxy must not hand out tokens
		return http.StatusForbidden, ""
	}
	ttl, err := strconv.Atoi(r.Header.Get(tokenTTLHeader))
	if err != nil || ttl < 1 || ttl > maxTokenTTL {
		return http.StatusBadRequest, ""
	}
	now := c.now()
	for token, session := range c.imdsTokens {
		if now.After(session.expires) {
			delete(c.imdsTokens, token)
		}
	}
	token := newID("AQAEA") + newID("") + "=="
	c.imdsTokens[token] = imdsToken{instance: inst.ID, expires: now.Add(time.Duration(ttl) * time.Second)}
	header.Set(tokenTTLHeader, strconv.Itoa(ttl))
	return http.StatusOK, token
}

// admits says whether a request may read: with a good token always, with a bad
// one never, with none only where IMDSv1 is allowed.
func (c *Cloud) admits(r *http.Request, inst *instance) bool {
	token := r.Header.Get(tokenHeader)
	if token == "" {
		return !inst.Metadata.TokensRequired
	}
	session := c.imdsTokens[token]
	return session.instance == inst.ID && c.now().Before(session.expires)
}

func (c *Cloud) readMetadata(header http.Header, path string, inst *instance) (status int, text string) {
	path = strings.Trim(path, "/")
	if path == "" {
		return http.StatusOK, strings.Join(metadataVersions(), "\n")
	}
	version, rest, _ := strings.Cut(path, "/")
	if !slices.Contains(metadataVersions(), version) {
		return http.StatusNotFound, ""
	}
	text, found := c.metadataTree(inst).read(rest)
	if !found {
		return http.StatusNotFound, ""
	}
	if rest == "dynamic/instance-identity/document" {
		header.Set("Content-Type", "application/json")
	}
	return http.StatusOK, text
}

// metadataFault is a small page, as EC2's metadata service has it.
func metadataFault(status int) string {
	title := strconv.Itoa(status) + " - " + http.StatusText(status)
	return "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>" + title +
		"</title></head><body><h1>" + title + "</h1></body></html>\n"
}
