package localcloud

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fromMachine is a client whose requests come from the machine's address.
func fromMachine(c *testCloud, address string) func(method, path string, headers ...string) (int, string) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	c.t.Cleanup(client.CloseIdleConnections)
	return func(method, path string, headers ...string) (int, string) {
		c.t.Helper()
		r, err := http.NewRequest(method, "http://"+c.metadata.Addr+path, nil)
		if err != nil {
			c.t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return do(c.t, client, r)
	}
}

func TestMetadataTree(t *testing.T) {
	c := openTest(t)
	image := c.base()
	c.ok("ImportKeyPair", "KeyName", "deploy", "PublicKeyMaterial",
		"c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUQ3WUpUTnNqdTJKR3lnUVJDcW1NOVBNUXpQaUJnVWx6bTJ6Z2VnWWF3bXkgbWU=")
	id := c.run(image, "KeyName", "deploy", "UserData", "I2Nsb3VkLWNvbmZpZwo=", "MetadataOptions.InstanceMetadataTags", "enabled",
		"TagSpecification.1.ResourceType", "instance", "TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "web")
	get := fromMachine(c, "127.77.0.2")
	mac := "0a:ff:7f:4d:00:02"
	for path, want := range map[string]string{
		"/latest/meta-data/instance-id":                                     id,
		"/2009-04-04/meta-data/ami-id":                                      image,
		"/2021-03-23/meta-data/local-ipv4":                                  "127.77.0.2",
		"/latest/meta-data/public-ipv4":                                     "127.77.0.2",
		"/latest/meta-data/hostname":                                        "ip-127-77-0-2.ec2.internal",
		"/latest/meta-data/mac":                                             mac,
		"/latest/meta-data/placement/":                                      "availability-zone\nregion",
		"/latest/meta-data/placement/region":                                "us-east-1",
		"/latest/meta-data/public-keys/":                                    "0=deploy",
		"/latest/meta-data/public-keys/0/":                                  "openssh-key",
		"/latest/meta-data/network/interfaces/macs/":                        mac + "/",
		"/latest/meta-data/network/interfaces/macs/" + mac + "/local-ipv4s": "127.77.0.2",
		"/latest/meta-data/instance-type":                                   "t3.micro",
		"/latest/meta-data/security-groups":                                 "default",
		"/latest/meta-data/tags/instance/Name":                              "web",
		"/2016-09-02/user-data":                                             "#cloud-config\n",
		"/latest/":                                                          "dynamic/\nmeta-data/\nuser-data",
	} {
		if status, text := get("GET", path); status != 200 || text != want {
			t.Errorf("%s: %d %q, want %q", path, status, text, want)
		}
	}
	if _, text := get("GET", "/latest/meta-data/public-keys/0/openssh-key"); !strings.HasPrefix(text, "ssh-ed25519 AAAA") {
		t.Errorf("the key is %q", text)
	}
	if _, text := get("GET", "/latest/dynamic/instance-identity/document"); !strings.Contains(text, `"instanceId": "`+id+`"`) {
		t.Errorf("the document is %s", text)
	}
	for _, path := range []string{"/latest/meta-data/iam/info", "/1999-01-01/meta-data/", "/latest/meta-data/nothing"} {
		if status, _ := get("GET", path); status != 404 {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
	if status, _ := fromMachine(c, "127.77.0.99")("GET", "/latest/meta-data/instance-id"); status != 404 {
		t.Errorf("for an address of nobody: %d, want 404", status)
	}
}

func TestMetadataTokens(t *testing.T) {
	c := openTest(t)
	image := c.base()
	first := c.run(image, "MetadataOptions.HttpTokens", "required")
	c.run(image)
	strict, loose := fromMachine(c, "127.77.0.2"), fromMachine(c, "127.77.0.3")
	const path = "/latest/meta-data/instance-id"
	const ttl, header = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
	check := func(what string, want int, status int, _ string) {
		t.Helper()
		if status != want {
			t.Errorf("%s: %d, want %d", what, status, want)
		}
	}
	expect := func(what string, want int) func(int, string) {
		return func(status int, text string) { t.Helper(); check(what, want, status, text) }
	}
	expect("no token where one is required", 401)(strict("GET", path))
	expect("no token where none is", 200)(loose("GET", path))
	expect("no ttl", 400)(strict("PUT", "/latest/api/token"))
	expect("a ttl of a day", 400)(strict("PUT", "/latest/api/token", ttl, "86400"))
	expect("through a proxy", 403)(strict("PUT", "/latest/api/token", ttl, "60", "X-Forwarded-For", "1.2.3.4"))
	_, token := strict("PUT", "/latest/api/token", ttl, "60")
	if status, text := strict("GET", path, header, token); status != 200 || text != first {
		t.Errorf("with a token: %d %q", status, text)
	}
	expect("another instance's token", 401)(loose("GET", path, header, token))
	expect("a token that nobody gave", 401)(loose("GET", path, header, "AQAE"))
	expect("a POST", 405)(loose("POST", path))
	c.mu.Lock()
	c.now = func() time.Time { return time.Now().Add(61 * time.Second) }
	c.mu.Unlock()
	expect("a token that is over", 401)(strict("GET", path, header, token))

	c.ok("ModifyInstanceMetadataOptions", "InstanceId", first, "HttpTokens", "optional")
	expect("no token, now optional", 200)(strict("GET", path))
	answer := c.ok("ModifyInstanceMetadataOptions", "InstanceId", first, "HttpEndpoint", "disabled")
	got := []string{answer.text("instanceMetadataOptions/httpEndpoint"), answer.text("instanceMetadataOptions/httpTokens"),
		answer.text("instanceMetadataOptions/httpPutResponseHopLimit")}
	if diff := cmp.Diff([]string{"disabled", "optional", "1"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	expect("switched off", 403)(strict("GET", path))
}
