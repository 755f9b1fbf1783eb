package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
)

// subnets are tried in order, 10.77.0.0/24 to 10.77.255.0/24.
const subnets = 256

// freeSubnet is the first subnet that no other host has and that nothing on this computer has an address in or a route to.
// A default route does not count. The caller holds the registry.
func freeSubnet() (netip.Prefix, error) {
	taken, err := takenPrefixes()
	if err != nil {
		return netip.Prefix{}, err
	}
	for n := range subnets {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, byte(n), 0}), 24)
		if !overlapsAny(p, taken) {
			return p, nil
		}
	}
	return netip.Prefix{}, errors.New("no free subnet: every 10.77.N.0/24 overlaps an address or a route of this computer (`ip route` lists them): a VPN that routes all of 10.0.0.0/8 must be off while local machines run")
}

func overlapsAny(p netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if p.Overlaps(t) {
			return true
		}
	}
	return false
}

func takenPrefixes() ([]netip.Prefix, error) {
	taken := leasedPrefixes()
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list this computer's addresses: %w", err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.IPNet.String()); err == nil {
			taken = append(taken, p.Masked())
		}
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list this computer's routes: %w", err)
	}
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		if p, err := netip.ParsePrefix(r.Dst.String()); err == nil && p.Bits() > 0 {
			taken = append(taken, p.Masked())
		}
	}
	return taken, nil
}

func leasedPrefixes() []netip.Prefix {
	var taken []netip.Prefix
	for _, key := range leaseKeys() {
		text, err := os.ReadFile(leasePath(key, "json"))
		if err != nil {
			continue
		}
		var l lease
		if json.Unmarshal(text, &l) == nil && l.Prefix.IsValid() {
			taken = append(taken, l.Prefix)
		}
	}
	return taken
}

// gatewayOf is the first address of a prefix.
func gatewayOf(p netip.Prefix) netip.Addr { return p.Masked().Addr().Next() }
