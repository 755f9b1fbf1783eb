package deploy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// probeCount is how many probes in a row a release has to answer before users reach it.
	probeCount   = 5
	probeTimeout = 5 * time.Second
	probeEvery   = 200 * time.Millisecond
	// probeBody is how much of a bad answer is shown.
	probeBody = 500
)

// errOther is that of an answer by another image.
var errOther = errors.New("another image answers")

// spread is how long a change of the listener may take to reach all of a load
// balancer's machines. So long the release before may still answer.
const spread = time.Minute

// probes asks the application through the load balancer, as users do.
type probes struct {
	client  *http.Client
	url     string
	header  string // that names the image which answers
	image   string // which has to answer
	secret  string
	private bool      // only this release is asked, by the rule for probes
	shifted time.Time // when it got the traffic

	sent, failed int
	arrived      bool // users are answered by this release
}

func (d *Deployer) probesOf(e Environment, now *state, n *next) *probes {
	scheme := "http"
	if aws.ToInt32(now.listener.Port) == 443 {
		scheme = "https"
	}
	p := &probes{
		client: d.HTTP, url: fmt.Sprintf("%s://%s%s", scheme, aws.ToString(now.balancer.DNSName), e.HealthPath),
		header: e.VersionHeader, image: n.Image, secret: n.secret, private: true,
	}
	if p.client == nil {
		p.client = probeClient()
	}
	return p
}

// probeClient makes a connection for each probe. The certificate is for the
// domain, and the probe is sent to the load balancer's own name.
func probeClient() *http.Client {
	return &http.Client{
		Timeout:       probeTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // what answers is known by its image
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// once asks once. The error says what is wrong with the answer, for people.
func (p *probes) once(ctx context.Context) error {
	p.sent++
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "imago-probe")
	if p.private {
		req.Header.Set(ProbeHeader, p.secret)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("GET %s: %w", p.url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, probeBody))
	switch by := resp.Header.Get(p.header); {
	case err != nil:
		return fmt.Errorf("GET %s: the answer ended early: %w", p.url, err)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("GET %s: status %s: %s", p.url, resp.Status, strings.TrimSpace(string(body)))
	case p.header != "" && by != "" && by != p.image:
		return fmt.Errorf("GET %s: %s says that %w: %s, and not %s", p.url, p.header, errOther, by, p.image)
	case !p.private:
		p.arrived = true
	}
	return nil
}
