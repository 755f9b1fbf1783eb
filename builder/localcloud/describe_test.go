package localcloud

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// thing is a resource of two attributes, of which one has many values.
type thing struct {
	Name  string
	Sizes []string
	Tags  map[string]string
}

func thingAttributes() attributes[thing] {
	return attributes[thing]{
		"name": func(t thing) []string { return one(t.Name) },
		"size": func(t thing) []string { return t.Sizes },
	}
}

// random is a short word of few letters, so that words are often alike.
func random(r *rand.Rand, letters string) string {
	var word strings.Builder
	for range r.IntN(4) {
		word.WriteByte(letters[r.IntN(len(letters))])
	}
	return word.String()
}

func randomThing(r *rand.Rand) thing {
	t := thing{Name: random(r, "abc*"), Tags: map[string]string{}}
	for range r.IntN(3) {
		t.Sizes = append(t.Sizes, random(r, "ab"))
		t.Tags[random(r, "kl")] = random(r, "ab?")
	}
	return t
}

// asRegexp is the meaning of a pattern, written in another way.
func asRegexp(pattern string) *regexp.Regexp {
	var text strings.Builder
	text.WriteString("(?s)^")
	for i := 0; i < len(pattern); i++ {
		switch ch := pattern[i]; {
		case ch == '\\' && i+1 < len(pattern):
			i++
			text.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case ch == '*':
			text.WriteString(".*")
		case ch == '?':
			text.WriteString(".")
		default:
			text.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return regexp.MustCompile(text.String() + "$")
}

// expected says whether a filter lets a thing through, by the words of EC2's
// description: any of the filter's values matches any of the thing's.
func expected(f filter, t thing) bool {
	var values []string
	switch key, isTag := strings.CutPrefix(f.name, "tag:"); {
	case isTag:
		if value, has := t.Tags[key]; has {
			values = []string{value}
		}
	case f.name == "tag-key":
		values = sortedKeys(t.Tags)
	case f.name == "size":
		values = t.Sizes
	case t.Name != "":
		values = []string{t.Name}
	}
	for _, pattern := range f.values {
		if slices.ContainsFunc(values, asRegexp(pattern).MatchString) {
			return true
		}
	}
	return false
}

func TestFiltersProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for range 3000 {
		var things []thing
		for range r.IntN(6) {
			things = append(things, randomThing(r))
		}
		var asked filters
		for range r.IntN(3) {
			f := filter{name: []string{"name", "size", "tag-key", "tag:" + random(r, "kl")}[r.IntN(4)]}
			for range 1 + r.IntN(2) {
				f.values = append(f.values, random(r, `abk*?\`))
			}
			asked = append(asked, f)
		}
		var want []thing
		for _, one := range things {
			if !slices.ContainsFunc(asked, func(f filter) bool { return !expected(f, one) }) {
				want = append(want, one)
			}
		}
		got, err := choose(asked, things, func(t thing) map[string]string { return t.Tags }, thingAttributes())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("filters %+v: %v, -want +got:\n%s", asked, err, diff)
		}
		hits += len(got)
	}
	if hits < 1000 {
		t.Errorf("only %d things passed a filter: the test tries too little", hits)
	}
}

func TestPagesAreTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		all := make([]thing, r.IntN(20))
		for i := range all {
			all[i] = thing{Name: strconv.Itoa(i)}
		}
		size, token := strconv.Itoa(1+r.IntN(7)), ""
		var got []thing
		for pages := 0; ; pages++ {
			page, next, err := describe(testRequest("Action", "X", "MaxResults", size, "NextToken", token), all, untagged[thing], thingAttributes())
			if err != nil || pages > 20 {
				t.Fatalf("page %d: %v", pages, err)
			}
			if got, token = append(got, page...), next; token == "" {
				break
			}
		}
		if !slices.EqualFunc(all, got, func(a, b thing) bool { return a.Name == b.Name }) {
			t.Fatalf("pages of %s: %v, want %v", size, got, all)
		}
	}
}

// Nothing that a caller sends is passed over in silence, by any action.
func TestEveryActionRefusesWhatItDoesNotKnow(t *testing.T) {
	c := openTest(t)
	for _, action := range sortedKeys(ec2Actions()) {
		if status, body := c.call(action, "Colour", "red", "Filter.1.Name", "colour", "Filter.1.Value.1", "red"); status == http.StatusOK {
			t.Errorf("%s answered %s", action, body)
		}
		if !strings.HasPrefix(action, "Describe") {
			continue
		}
		got := c.fault(action, "Filter.1.Name", "colour", "Filter.1.Value.1", "red")
		filtered := got == "400 InvalidParameterValue: The filter 'colour' is invalid"
		unfiltered := strings.HasPrefix(got, "400 UnknownParameter: The parameter Filter.1.") || strings.HasPrefix(got, "400 MissingParameter: ")
		if !filtered && !unfiltered {
			t.Errorf("%s: %s", action, got)
		}
	}
}

// An attribute's function must not fall over what a resource lacks.
func TestEveryFilterCanBeAsked(t *testing.T) {
	c := openTest(t)
	c.run(c.base(), "BlockDeviceMapping.1.DeviceName", "/dev/sdf", "BlockDeviceMapping.1.VirtualName", "ephemeral0")
	c.ok("CreateVolume", "AvailabilityZone", "us-east-1a", "Size", "1")
	c.ok("CreateKeyPair", "KeyName", "k", "KeyType", "ed25519")
	for action, names := range map[string][]string{
		"DescribeImages":         sortedKeys(imageAttributes()),
		"DescribeSnapshots":      sortedKeys(snapshotAttributes()),
		"DescribeVolumes":        sortedKeys(volumeAttributes(nil)),
		"DescribeKeyPairs":       sortedKeys(keyPairAttributes()),
		"DescribeSecurityGroups": sortedKeys(groupAttributes()),
		"DescribeSubnets":        sortedKeys(c.subnetAttributes()),
		"DescribeVpcs":           sortedKeys(c.vpcAttributes()),
		"DescribeRouteTables":    sortedKeys(c.routeAttributes()),
		"DescribeInstanceTypes":  sortedKeys(typeAttributes()),
	} {
		var pairs []string
		for i, name := range names { // every filter looks at every resource, though one says no
			pairs = append(pairs, fmt.Sprintf("Filter.%d.Name", i+1), name, fmt.Sprintf("Filter.%d.Value.1", i+1), "no such value")
		}
		none := c.ok(action, pairs...)
		for _, set := range none.Children {
			if len(set.Children) > 0 {
				t.Errorf("%s: %s is not empty", action, set.XMLName.Local)
			}
		}
	}
}
