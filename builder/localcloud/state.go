package localcloud

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

const (
	accountID     = "000000000000"
	defaultRegion = "us-east-1"
	stateFile     = "state.json"
)

// state is everything the local cloud remembers over a restart.
type state struct {
	Instances       map[string]*instance       // by id
	Images          map[string]*image          // by id; API decides how copies in regions are told apart
	Snapshots       map[string]*snapshot       // by id
	Volumes         map[string]*volume         // by id
	KeyPairs        map[string]*keyPair        // by region + "/" + name
	Groups          map[string]*group          // by id
	Vpcs            map[string]*vpc            // by id
	Subnets         map[string]*subnet         // by id
	Gateways        map[string]*gateway        // by id
	ScalingGroups   map[string]*scalingGroup   // by "autoscaling/" + region + "/" + name
	Activities      []*activity                // of scaling groups, the newest first
	RouteTables     map[string]*routeTable     // by id
	LaunchTemplates map[string]*launchTemplate // by id
	LaunchVersions  map[string]*launchVersion  // by the id of the template + "/" + number
	Balancers       map[string]*loadBalancer   // by ARN
	TargetGroups    map[string]*targetGroup    // by ARN
	Listeners       map[string]*listener       // by ARN
	Rules           map[string]*listenerRule   // by ARN
	Zones           map[string]*hostedZone     // by id
	Changes         map[string]zoneChange      // of zones, by id
	Tokens          map[string]token           // client tokens, by region/action/token
}

func newState() *state {
	s := &state{}
	s.fill()
	return s
}

// fill makes the maps that an older or an empty file does not have.
func (s *state) fill() {
	s.Instances = filled(s.Instances)
	s.Images = filled(s.Images)
	s.Snapshots = filled(s.Snapshots)
	s.Volumes = filled(s.Volumes)
	s.KeyPairs = filled(s.KeyPairs)
	s.Groups = filled(s.Groups)
	s.Vpcs = filled(s.Vpcs)
	s.Subnets = filled(s.Subnets)
	s.Gateways = filled(s.Gateways)
	s.ScalingGroups = filled(s.ScalingGroups)
	s.RouteTables = filled(s.RouteTables)
	s.LaunchTemplates = filled(s.LaunchTemplates)
	s.LaunchVersions = filled(s.LaunchVersions)
	s.Balancers = filled(s.Balancers)
	s.TargetGroups = filled(s.TargetGroups)
	s.Listeners = filled(s.Listeners)
	s.Rules = filled(s.Rules)
	s.Zones = filled(s.Zones)
	s.Changes = filled(s.Changes)
	s.Tokens = filled(s.Tokens)
}

func filled[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func loadState(dir string) (*state, error) {
	path := filepath.Join(dir, stateFile)
	s := &state{}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("read the local cloud's state: %w", err)
	default:
		if err := json.Unmarshal(text, s); err != nil {
			return nil, fmt.Errorf("%s is damaged (%w); move it away to begin with an empty cloud", path, err)
		}
	}
	s.fill()
	return s, nil
}

// writeFile replaces a file in one step, so that a reader sees the old text or
// the new one.
func writeFile(path string, text []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(temporary.Name(), path)
}

// save writes the state down. The caller holds c.mu.
func (c *Cloud) save() error {
	text, err := json.MarshalIndent(c.state, "", " ")
	if err != nil {
		return fmt.Errorf("write the local cloud's state: %w", err)
	}
	return writeFile(filepath.Join(c.options.StateDir, stateFile), text, 0o600)
}

// newID is a resource id as AWS makes them: the prefix ("i-", "ami-") and 17
// hexadecimal digits.
func newID(prefix string) string {
	var b [9]byte
	rand.Read(b[:]) // never returns an error
	return prefix + hex.EncodeToString(b[:])[:17]
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
