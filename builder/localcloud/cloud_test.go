package localcloud

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSignatures(t *testing.T) {
	c := openTest(t)
	form := "Action=DescribeInstances&Version=2016-11-15"
	sign := func(keys credentials, at time.Time) func(*http.Request) {
		return func(r *http.Request) { signTest(r, form, keys, "us-east-1", "ec2", at) }
	}
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
		code   string
	}{
		"good":                    {nil, 200, ""},
		"none":                    {func(r *http.Request) { r.Header.Del("Authorization") }, 403, "MissingAuthenticationToken"},
		"another scheme":          {func(r *http.Request) { r.SetBasicAuth("a", "b") }, 403, "IncompleteSignature"},
		"half a header":           {func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b") }, 403, "IncompleteSignature"},
		"unknown key":             {sign(credentials{"AKIANOBODY", c.keys.SecretKey}, time.Now()), 401, "AuthFailure"},
		"wrong secret":            {sign(credentials{c.keys.AccessKey, "guess"}, time.Now()), 403, "SignatureDoesNotMatch"},
		"old":                     {sign(c.keys, time.Now().Add(-16*time.Minute)), 400, "RequestExpired"},
		"from the future":         {sign(c.keys, time.Now().Add(16*time.Minute)), 400, "RequestExpired"},
		"a bit late":              {sign(c.keys, time.Now().Add(-14*time.Minute)), 200, ""},
		"another date":            {func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }, 403, "SignatureDoesNotMatch"},
		"another path":            {func(r *http.Request) { r.URL.Path = "/other" }, 403, "SignatureDoesNotMatch"},
		"another query":           {func(r *http.Request) { r.URL.RawQuery = "DryRun=true" }, 403, "SignatureDoesNotMatch"},
		"a signed header changed": {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 403, "SignatureDoesNotMatch"},
		"another body": {func(r *http.Request) {
			other := strings.NewReader("Action=TerminateInstances&Version=2016-11-15")
			r.Body, r.ContentLength = http.NoBody, 0
			r.Body = readCloser{other}
			r.ContentLength = other.Size()
		}, 403, "SignatureDoesNotMatch"},
		"a body hash that is not the body's": {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", sha("else")) }, 403, "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := c.with(t).post("ec2", form, test.change)
			code := parseNode(t, body).text("Errors/Error/Code")
			if status != test.status || code != test.code {
				t.Errorf("got %d %q, want %d %q: %s", status, code, test.status, test.code, body)
			}
		})
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestRefusalsInEachServicesForm(t *testing.T) {
	c := openTest(t)
	wrong := credentials{c.keys.AccessKey, "guess"}
	resign := func(service string) func(*http.Request) {
		return func(r *http.Request) {
			signTest(r, "Action=GetCallerIdentity", wrong, "us-east-1", service, time.Now())
		}
	}
	status, body := c.post("sts", "Action=GetCallerIdentity", resign("sts"))
	if code := parseNode(t, body).text("Error/Code"); status != 403 || code != "SignatureDoesNotMatch" {
		t.Errorf("sts: %d %s", status, body)
	}
	status, body = c.post("ssm", "Action=GetCallerIdentity", resign("ssm"))
	if status != 400 || !strings.Contains(body, `"__type":"InvalidSignatureException"`) {
		t.Errorf("ssm: %d %s", status, body)
	}
	status, body = c.post("s3", "Action=ListBuckets", nil)
	if code := parseNode(t, body).text("Errors/Error/Code"); status != 400 || code != "InvalidAction" {
		t.Errorf("s3: %d %s", status, body)
	}
}

func TestActionsThatAreNotThere(t *testing.T) {
	c := openTest(t)
	for action, want := range map[string]string{
		"CreateTransitGateway": "400 InvalidAction: The action CreateTransitGateway is not valid for this web service.",
		"":                     "400 MissingAction: The request must contain the parameter Action",
	} {
		if got := c.fault(action); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, want := c.fault("DescribeInstances", "Colour", "red"), "400 UnknownParameter: The parameter Colour is not recognized"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParametersInTheAddress(t *testing.T) {
	c := openTest(t)
	r, err := http.NewRequest(http.MethodGet, c.endpoint()+"/?Action=DescribeInstances&Filter.1.Name=tag%3AName&Filter.1.Value.1=a+b%2Fc", nil)
	if err != nil {
		t.Fatal(err)
	}
	signTest(r, "", c.keys, "us-east-1", "ec2", time.Now())
	if status, body := do(t, http.DefaultClient, r); status != 200 || !strings.Contains(body, "<reservationSet") && !strings.Contains(body, "DescribeInstancesResponse") {
		t.Errorf("%d %s", status, body)
	}
}

func TestCloudSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	image := c.base()
	id := c.run(image, "UserData", "aGVsbG8=")
	gone := c.run(image)
	c.ok("TerminateInstances", "InstanceId.1", gone)
	c.until(gone, "terminated")
	before, keys := c.endpoint(), c.keys
	c.stop()
	if !c.machines.closed {
		t.Error("the machines' network is still there")
	}

	c = openTestIn(t, dir)
	if c.endpoint() != before || c.keys != keys {
		t.Errorf("it answers at %s with %v, before at %s with %v", c.endpoint(), c.keys, before, keys)
	}
	if state := c.instanceState(id); state != "stopped" {
		t.Errorf("the instance is %s, want stopped", state)
	}
	if state := c.instanceState(gone); state != "terminated" {
		t.Errorf("the other is %s, want terminated", state)
	}
	c.ok("StartInstances", "InstanceId.1", id)
	c.until(id, "running")
	if got := c.ok("DescribeInstanceAttribute", "InstanceId", id, "Attribute", "userData").text("userData/value"); got != "aGVsbG8=" {
		t.Errorf("its user data is %q", got)
	}
}

func TestCloudThatWasKilled(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	image := c.base()
	running, ending := c.run(image), c.run(image)
	c.mu.Lock()
	c.state.Instances[ending].State = shuttingDown
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	c.mu.Unlock()
	killed, err := os.ReadFile(filepath.Join(dir, "state", stateFile))
	if err != nil {
		t.Fatal(err)
	}
	c.stop()
	if err := os.WriteFile(filepath.Join(dir, "state", stateFile), killed, 0o600); err != nil {
		t.Fatal(err)
	}

	c = openTestIn(t, dir)
	got := map[string]string{running: c.instanceState(running), ending: c.instanceState(ending)}
	if diff := cmp.Diff(map[string]string{running: "stopped", ending: "terminated"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !cmp.Equal(c.machines.removed, []string{ending}) {
		t.Errorf("machines removed: %q", c.machines.removed)
	}
}

func TestStatusAndTheOwnerOfADirectory(t *testing.T) {
	dir := t.TempDir()
	stateDir := filepath.Join(dir, "state")
	if st, err := ReadStatus(stateDir); err != nil || st.Running {
		t.Errorf("before: %+v, %v", st, err)
	}
	c := openTestIn(t, dir)
	c.run(c.base())
	st, err := ReadStatus(stateDir)
	if err != nil {
		t.Fatal(err)
	}
	want := Status{Running: true, PID: os.Getpid(), Version: st.Version, Started: st.Started, Images: 1, Instances: 1, Snapshots: 1,
		Env: Env{Endpoint: c.endpoint(), Region: "us-east-1", AccessKey: c.keys.AccessKey, SecretKey: c.keys.SecretKey}}
	if diff := cmp.Diff(want, st); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, name := range []string{infoName, stateFile} {
		if info, err := os.Stat(filepath.Join(stateDir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if _, err := Open(t.Context(), Options{StateDir: stateDir, CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "runs on "+stateDir+" already") {
		t.Errorf("a second cloud on the directory: %v", err)
	}
	if st, err := ReadStatus(stateDir); err != nil || !st.Running {
		t.Errorf("after the second: %+v, %v", st, err)
	}
	c.stop()
	if st, err := ReadStatus(stateDir); err != nil || st.Running || st.PID != 0 {
		t.Errorf("after: %+v, %v", st, err)
	}
}

func TestAnotherPortWhenTheLastIsTaken(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	address := c.listener.Addr().String()
	c.stop()
	taken, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c = openTestIn(t, dir)
	if c.listener.Addr().String() == address {
		t.Error("two listen at one address")
	}
	c.ok("DescribeInstances")
}

func TestOwnClient(t *testing.T) {
	c := openTest(t)
	client, err := NewClient(c.options.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	spec := ImageSpec{Suite: "bookworm", ID: "ami-22de994a", Name: "my-base"}
	img, err := client.AddImage(t.Context(), spec, func(text string) { lines = append(lines, text) })
	if err != nil {
		t.Fatal(err)
	}
	want := ImageInfo{ID: "ami-22de994a", Name: "my-base", State: "available", Created: img.Created}
	if diff := cmp.Diff(want, img); diff != "" || !cmp.Equal(lines, []string{"building debian-12"}) {
		t.Errorf("-want +got:\n%s progress: %q", diff, lines)
	}
	if again, err := client.AddImage(t.Context(), spec, nil); err != nil || !cmp.Equal(again, img) {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	if all, err := client.Images(t.Context()); err != nil || !cmp.Equal(all, []ImageInfo{img}) {
		t.Errorf("images: %+v, %v", all, err)
	}
	c.region = "ap-southeast-2"
	if got := c.ok("DescribeImages", "ImageId.1", img.ID).text("imagesSet/item/name"); got != "my-base" {
		t.Errorf("in another region it is %q", got)
	}
	for _, test := range []struct {
		spec ImageSpec
		want string
	}{
		{ImageSpec{Suite: "slackware"}, `There is no base "slackware": the bases are debian-12 and debian-13.`},
		{ImageSpec{Suite: "debian-12", ID: "ami-nonsense"}, `Invalid id: "ami-nonsense" (expecting "ami-...")`},
		{ImageSpec{Suite: "debian-13", ID: img.ID}, "The image ami-22de994a is there already and is something else (my-base); remove it first, with: imago local image rm ami-22de994a"},
	} {
		if _, err := client.AddImage(t.Context(), test.spec, nil); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if err := client.RemoveImage(t.Context(), img.ID); err != nil {
		t.Error(err)
	}
	if err := client.RemoveImage(t.Context(), img.ID); err == nil || err.Error() != "The image id '[ami-22de994a]' does not exist" {
		t.Errorf("the second time: %v", err)
	}
	if left := c.ok("DescribeSnapshots").all("snapshotSet/item"); len(left) != 0 {
		t.Errorf("%d snapshots are left", len(left))
	}
	client.keys.SecretKey = "guess"
	if err := client.Shutdown(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "The request signature we calculated does not match") {
		t.Errorf("with a wrong secret: %v", err)
	}
	client.keys = c.keys
	if err := client.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "it has ended", func() bool {
		st, err := ReadStatus(c.options.StateDir)
		return err == nil && !st.Running
	})
}

// Many callers at once: for the race detector, and for deadlocks.
func TestManyAtOnce(t *testing.T) {
	c := openTest(t)
	image := c.base()
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			id := c.run(image)
			c.ok("DescribeInstances")
			c.ok("RebootInstances", "InstanceId.1", id)
			c.ok("StopInstances", "InstanceId.1", id, "Force", "true")
			c.until(id, "stopped")
			c.ok("StartInstances", "InstanceId.1", id)
			c.ok("TerminateInstances", "InstanceId.1", id)
			c.until(id, "terminated")
		})
	}
	callers.Wait()
	if left := c.ok("DescribeVolumes").all("volumeSet/item"); len(left) != 0 {
		t.Errorf("%d volumes are left", len(left))
	}
}

func TestHandlerThatPanics(t *testing.T) {
	c := openTest(t)
	c.mu.Lock()
	c.state.Instances["i-bad"] = nil
	c.mu.Unlock()
	status, body := c.call("DescribeInstances")
	if code := parseNode(t, body).text("Errors/Error/Code"); status != 500 || code != "InternalError" {
		t.Errorf("%d %s", status, body)
	}
	c.mu.Lock()
	delete(c.state.Instances, "i-bad")
	c.mu.Unlock()
	c.ok("DescribeInstances")
}
