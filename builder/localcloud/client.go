package localcloud

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// maxLine bounds a line of progress.
const maxLine = 1 << 20

// Env is how to reach a local cloud.
type Env struct {
	Endpoint  string // http://127.0.0.1:PORT
	Region    string // the one to use when nothing says another; all answer
	AccessKey string
	SecretKey string
}

// Status is what there is to know of a local cloud without asking it.
type Status struct {
	// Running says whether a server is ready on the state directory. PID,
	// Version and Started are that server's.
	Running bool
	PID     int
	Version string
	Started time.Time
	Env     Env
	// How much there is; terminated instances do not count.
	Images, Instances, Snapshots int
}

// ReadStatus reads the status of the local cloud of a state directory; where
// there never was one, that of one that does not run.
func ReadStatus(stateDir string) (Status, error) {
	info, err := readInfo(stateDir)
	if err != nil {
		return Status{}, err
	}
	locked, err := isLocked(filepath.Join(stateDir, lockName))
	if err != nil {
		return Status{}, err
	}
	st := Status{
		Running: locked && info.PID != 0,
		Env:     Env{Endpoint: info.Endpoint, Region: defaultRegion, AccessKey: info.AccessKey, SecretKey: info.SecretKey},
	}
	if st.Running {
		st.PID, st.Version, st.Started = info.PID, info.Version, info.Started
	}
	s, err := loadState(stateDir)
	if err != nil {
		return Status{}, err
	}
	st.Images, st.Snapshots = len(s.Images), len(s.Snapshots)
	for _, inst := range s.Instances {
		if inst.State != terminated {
			st.Instances++
		}
	}
	return st, nil
}

// Sweep removes what a local cloud that was killed left on this computer:
// processes, mounts, the bridge, firewall rules, control groups. Images and the
// disks of instances stay. It refuses while the cloud runs.
func Sweep(stateDir string) error {
	return machine.Sweep(machinesDir(stateDir))
}

// Client makes imago's own calls to a local cloud that runs. It is safe for
// concurrent use.
type Client struct {
	endpoint string
	keys     credentials
	http     http.Client
}

// NewClient is a client of the local cloud that runs on a state directory.
func NewClient(stateDir string) (*Client, error) {
	st, err := ReadStatus(stateDir)
	if err != nil {
		return nil, err
	}
	if !st.Running {
		return nil, errors.New("the local cloud does not run; start it with: imago local up")
	}
	return &Client{endpoint: st.Env.Endpoint, keys: credentials{st.Env.AccessKey, st.Env.SecretKey}}, nil
}

// Images are all images of the cloud, the oldest first.
func (c *Client) Images(ctx context.Context) ([]ImageInfo, error) {
	var all []ImageInfo
	return all, c.call(ctx, http.MethodGet, "images", &all)
}

// RemoveImage takes an image and its snapshots away. A base stays in the cache.
func (c *Client) RemoveImage(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "images/"+id, &struct{}{})
}

// Shutdown asks the cloud to stop its machines and end. It returns when the
// cloud has heard it; ReadStatus tells when it is over.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "shutdown", &struct{}{})
}

// AddImage registers a base, which is built first when it is not in the cache.
// progress receives a line for each step; it may be nil.
func (c *Client) AddImage(ctx context.Context, spec ImageSpec, progress func(string)) (ImageInfo, error) {
	body, err := json.Marshal(spec)
	if err != nil {
		return ImageInfo{}, err
	}
	last, err := c.follow(ctx, "images", body, progress)
	if err != nil {
		return ImageInfo{}, err
	}
	return *last.Image, nil
}

// follow makes a call whose answer is lines of progress, and returns the last.
func (c *Client) follow(ctx context.Context, path string, body []byte, progress func(string)) (progressLine, error) {
	answer, err := c.send(ctx, http.MethodPost, path, body)
	if err != nil {
		return progressLine{}, err
	}
	defer answer.Close()
	lines := bufio.NewScanner(answer)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var line progressLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return progressLine{}, fmt.Errorf("the local cloud's answer cannot be read: %w", err)
		}
		switch {
		case line.Error != "":
			return progressLine{}, errors.New(line.Error)
		case line.Image != nil || line.Done:
			return line, nil
		case progress != nil:
			progress(line.Progress)
		}
	}
	if err := lines.Err(); err != nil {
		return progressLine{}, err
	}
	return progressLine{}, errors.New("the local cloud ended before it was done; its log says why")
}

// call makes a call whose answer is one JSON value.
func (c *Client) call(ctx context.Context, method, path string, into any) error {
	answer, err := c.send(ctx, method, path, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("the local cloud's answer cannot be read: %w", err)
	}
	return nil
}

// send makes a signed call, and returns its answer when that is a good one.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint+ownPath+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	c.keys.authorize(r, body, time.Now())
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxLine))
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s", strings.TrimSpace(string(text)))
}

// authorize signs a request of imago's own.
func (k credentials) authorize(r *http.Request, body []byte, now time.Time) {
	now = now.UTC()
	s := scope{date: now.Format("20060102"), region: defaultRegion, service: "imago"}
	r.Header.Set("X-Amz-Date", now.Format(amzTime))
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	signed := []string{"host", "x-amz-date"}
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		algorithm, k.AccessKey, s, strings.Join(signed, ";"), k.sign(canonical(r, signed, hexHash(body)), s, now)))
}
