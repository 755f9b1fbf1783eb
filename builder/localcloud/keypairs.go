package localcloud

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// keyPair is the public half of a key; the local cloud never keeps a private
// one.
type keyPair struct {
	ID          string
	Region      string
	Name        string
	Type        string // rsa or ed25519
	Fingerprint string
	PublicKey   string // a line of authorized_keys, with the name as its comment
	Created     time.Time
	Tags        map[string]string
}

func keyActions() map[string]handler {
	return map[string]handler{
		"CreateKeyPair":    createKeyPair,
		"DeleteKeyPair":    deleteKeyPair,
		"DescribeKeyPairs": describeKeyPairs,
		"ImportKeyPair":    importKeyPair,
	}
}

// findKeyPair is the key pair of that name in the region.
func (c *Cloud) findKeyPair(region, name string) (*keyPair, error) {
	pair := c.state.KeyPairs[region+"/"+name]
	if pair == nil {
		return nil, noKeyPair(name)
	}
	return pair, nil
}

func noKeyPair(name string) *fault {
	return faultf("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
}

// newKeyPair is a pair of the request's name and tags, without a key yet.
func (c *Cloud) newKeyPair(r *request) *keyPair {
	name := r.need("KeyName")
	if len(name) > 255 || strings.ContainsFunc(name, func(ch rune) bool { return ch < ' ' || ch > '~' }) {
		r.problem(badValue("keyName", name, "Expecting up to 255 ASCII characters."))
	}
	if _, err := c.findKeyPair(r.region, name); err == nil {
		r.problem(faultf("InvalidKeyPair.Duplicate", "The keypair '%s' already exists.", name))
	}
	return &keyPair{
		ID:      newID("key-"),
		Region:  r.region,
		Name:    name,
		Created: c.now(),
		Tags:    r.tags("key-pair"),
	}
}

func (c *Cloud) keep(pair *keyPair) { c.state.KeyPairs[pair.Region+"/"+pair.Name] = pair }

type keyPairItem struct {
	Name        string `xml:"keyName"`
	Fingerprint string `xml:"keyFingerprint"`
	Material    string `xml:"keyMaterial,omitempty"`
	ID          string `xml:"keyPairId"`
	Type        string `xml:"keyType,omitempty"`
	PublicKey   string `xml:"publicKey,omitempty"`
	Created     string `xml:"createTime,omitempty"`
	Tags        tagSet `xml:"tagSet"`
}

func importKeyPair(c *Cloud, r *request) (any, error) {
	pair := c.newKeyPair(r)
	err := pair.setPublic(r.need("PublicKeyMaterial"))
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	c.keep(pair)
	return keyPairItem{Name: pair.Name, Fingerprint: pair.Fingerprint, ID: pair.ID, Tags: tagsOf(pair.Tags)}, nil
}

func createKeyPair(c *Cloud, r *request) (any, error) {
	pair := c.newKeyPair(r)
	pair.Type = r.oneOf("KeyType", "rsa", "rsa", "ed25519")
	r.oneOf("KeyFormat", "pem", "pem") // ppk is PuTTY's
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	private, err := pair.generate()
	if err != nil {
		return nil, err
	}
	c.keep(pair)
	return keyPairItem{
		Name:        pair.Name,
		Fingerprint: pair.Fingerprint,
		Material:    string(private),
		ID:          pair.ID,
		Tags:        tagsOf(pair.Tags),
	}, nil
}

// deleteKeyPair deletes a pair by its name or id. As on AWS, one that is not
// there is no fault.
func deleteKeyPair(c *Cloud, r *request) (any, error) {
	name, id := r.text("KeyName"), r.text("KeyPairId")
	if name == "" && id == "" {
		r.problem(missing("KeyName or KeyPairId"))
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	var answer struct {
		Return bool   `xml:"return"`
		ID     string `xml:"keyPairId,omitempty"`
	}
	answer.Return = true
	for key, pair := range c.state.KeyPairs {
		if pair.Region == r.region && (pair.Name == name || pair.ID == id) {
			answer.ID = pair.ID
			delete(c.state.KeyPairs, key)
		}
	}
	return answer, nil
}

func describeKeyPairs(c *Cloud, r *request) (any, error) {
	public := isTrue(r.boolean("IncludePublicKey"))
	asked, err := c.keyPairsAsked(r)
	if err != nil {
		return nil, err
	}
	all, err := describeAll(r, asked, func(p *keyPair) map[string]string { return p.Tags }, keyPairAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Pairs []keyPairItem `xml:"keySet>item"`
	}
	for _, pair := range all {
		item := keyPairItem{
			Name:        pair.Name,
			Fingerprint: pair.Fingerprint,
			ID:          pair.ID,
			Type:        pair.Type,
			Created:     stamp(pair.Created),
			Tags:        tagsOf(pair.Tags),
		}
		if public {
			item.PublicKey = pair.PublicKey
		}
		answer.Pairs = append(answer.Pairs, item)
	}
	return answer, nil
}

func keyPairAttributes() attributes[*keyPair] {
	return attributes[*keyPair]{
		"fingerprint": func(p *keyPair) []string { return one(p.Fingerprint) },
		"key-name":    func(p *keyPair) []string { return one(p.Name) },
		"key-pair-id": func(p *keyPair) []string { return one(p.ID) },
	}
}

func (c *Cloud) keyPairsAsked(r *request) ([]*keyPair, error) {
	names, ids := r.list("KeyName"), r.list("KeyPairId")
	here := inRegion(c.state.KeyPairs, r.region, func(p *keyPair) string { return p.Region })
	if len(names)+len(ids) == 0 {
		return here, nil
	}
	var all []*keyPair
	for _, name := range names {
		pair, err := c.findKeyPair(r.region, name)
		if err != nil {
			return nil, err
		}
		all = append(all, pair)
	}
	for _, id := range ids {
		at := slices.IndexFunc(here, func(p *keyPair) bool { return p.ID == id })
		if at < 0 {
			return nil, faultf("InvalidKeyPair.NotFound", "The key pair with ID '%s' does not exist", id)
		}
		all = append(all, here[at])
	}
	slices.SortFunc(all, func(a, b *keyPair) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Compact(all), nil
}
