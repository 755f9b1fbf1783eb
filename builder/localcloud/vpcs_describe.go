package localcloud

import (
	"cmp"
	"strings"
)

type cidrItem struct {
	ID    string `xml:"associationId"`
	Block string `xml:"cidrBlock"`
	State string `xml:"cidrBlockState>state"`
}

type vpcItem struct {
	ID      string     `xml:"vpcId"`
	OwnerID string     `xml:"ownerId"`
	State   string     `xml:"state"`
	Block   string     `xml:"cidrBlock"`
	Blocks  []cidrItem `xml:"cidrBlockAssociationSet>item"`
	DHCP    string     `xml:"dhcpOptionsId"`
	Tags    tagSet     `xml:"tagSet"`
	Tenancy string     `xml:"instanceTenancy"`
	Default bool       `xml:"isDefault"`
}

func (c *Cloud) vpcItem(v *vpc) vpcItem {
	block := c.blockOf(v).String()
	return vpcItem{
		ID:      v.ID,
		OwnerID: accountID,
		State:   available,
		Block:   block,
		Blocks:  []cidrItem{{ID: "vpc-cidr-assoc-" + strings.TrimPrefix(v.ID, "vpc-"), Block: block, State: "associated"}},
		DHCP:    v.DHCP,
		Tags:    tagsOf(v.Tags),
		Tenancy: "default",
		Default: v.isDefault(),
	}
}

func describeVpcs(c *Cloud, r *request) (any, error) {
	home := c.networkOf(r.region)
	all, err := partsNamed(r.region, c.state.Vpcs, r.list("VpcId"), c.findVpc, func(a, b *vpc) int {
		return cmp.Or(firstHome(home.ID, a.ID, b.ID), cmp.Compare(a.ID, b.ID))
	})
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(v *vpc) map[string]string { return v.Tags }, c.vpcAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Vpcs      []vpcItem `xml:"vpcSet>item"`
		NextToken string    `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, v := range page {
		answer.Vpcs = append(answer.Vpcs, c.vpcItem(v))
	}
	return answer, nil
}

func (c *Cloud) vpcAttributes() attributes[*vpc] {
	block := func(v *vpc) []string { return one(c.blockOf(v).String()) }
	isDefault := func(v *vpc) []string { return yesNo(v.isDefault()) }
	return attributes[*vpc]{
		"cidr":                              block,
		"cidr-block-association.cidr-block": block,
		"cidr-block-association.state":      fixed[*vpc]("associated"),
		"dhcp-options-id":                   func(v *vpc) []string { return one(v.DHCP) },
		"is-default":                        isDefault,
		"isDefault":                         isDefault,
		"ipv6-cidr-block-association.state": func(*vpc) []string { return nil },
		"owner-id":                          fixed[*vpc](accountID),
		"state":                             fixed[*vpc](available),
		"vpc-id":                            func(v *vpc) []string { return one(v.ID) },
	}
}
