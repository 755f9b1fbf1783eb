package localcloud

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ParseCatalogue reads a catalogue, which is JSON. It refuses what it does not
// know, and says all that is wrong, each with its line.
func ParseCatalogue(text []byte) (Catalogue, error) {
	if err := checkJSON(text); err != nil {
		return Catalogue{}, err
	}
	var c Catalogue
	p := faultReader{text: text}
	found := p.object("", wholeFile(text), map[string]any{
		"images": new(json.RawMessage), "vpcs": new(json.RawMessage), "subnets": new(json.RawMessage),
		"security_groups": new(json.RawMessage), "key_pairs": new(json.RawMessage), "parameters": new(json.RawMessage),
	})
	c.Images = readEntries(&p, "images", found, (*CatalogueImage).fields, CatalogueImage.check)
	c.Vpcs = readEntries(&p, "vpcs", found, (*CatalogueVpc).fields, CatalogueVpc.check)
	c.Subnets = readEntries(&p, "subnets", found, (*CatalogueSubnet).fields, CatalogueSubnet.check)
	c.SecurityGroups = readEntries(&p, "security_groups", found, (*CatalogueGroup).fields, CatalogueGroup.check)
	c.KeyPairs = readEntries(&p, "key_pairs", found, (*CatalogueKey).fields, CatalogueKey.check)
	c.Parameters = readEntries(&p, "parameters", found, (*CatalogueParameter).fields, CatalogueParameter.check)
	if len(p.problems) > 0 {
		return Catalogue{}, errors.Join(p.problems...)
	}
	return c, nil
}

// readEntries reads a list of the file. What an entry says is looked at only when
// all of it could be read.
func readEntries[E any](p *faultReader, name string, found map[string]piece, fields func(*E) map[string]any, check func(E) []string) []E {
	list, ok := found[name]
	if !ok {
		return nil
	}
	if list.text[0] != '[' {
		p.problem(list.at, "%s: expects a list", name)
		return nil
	}
	var all []E
	for i, one := range list.items() {
		var e E
		place, before := fmt.Sprintf("%s[%d]", name, i), len(p.problems)
		p.object(place, one, fields(&e))
		if len(p.problems) == before {
			for _, problem := range check(e) {
				p.problem(one.at, "%s%s", place, problem)
			}
		}
		all = append(all, e)
	}
	return all
}

func (i *CatalogueImage) fields() map[string]any {
	return map[string]any{
		"id": &i.ID, "name": &i.Name, "region": &i.Region, "owner": &i.Owner, "owner_alias": &i.OwnerAlias, "suite": &i.Suite, "user": &i.User,
		"description": &i.Description, "architecture": &i.Architecture, "virtualization": &i.Virtualization, "root_device": &i.RootDevice,
		"product_code": &i.ProductCode, "created": &i.Created, "tags": &i.Tags,
	}
}

func (v *CatalogueVpc) fields() map[string]any {
	return map[string]any{"id": &v.ID, "region": &v.Region, "tags": &v.Tags}
}

func (s *CatalogueSubnet) fields() map[string]any {
	return map[string]any{"id": &s.ID, "region": &s.Region, "vpc": &s.Vpc, "zone": &s.Zone, "tags": &s.Tags}
}

func (g *CatalogueGroup) fields() map[string]any {
	return map[string]any{"id": &g.ID, "region": &g.Region, "vpc": &g.Vpc, "name": &g.Name, "description": &g.Description, "tags": &g.Tags}
}

func (k *CatalogueKey) fields() map[string]any {
	return map[string]any{"name": &k.Name, "region": &k.Region, "public_key": &k.PublicKey}
}

func (p *CatalogueParameter) fields() map[string]any {
	return map[string]any{"name": &p.Name, "region": &p.Region, "value": &p.Value}
}
