package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// An interface's name has 15 characters at most.
func bridgeName(key string) string { return "imago-" + key }

func vethName(key, id string) string {
	sum := sha256.Sum256([]byte(key + "/" + id))
	return "imv" + hex.EncodeToString(sum[:5])
}

// makeNetwork makes the bridge, with the gateway's address, and the firewall rules around it.
func makeNetwork(key string, prefix netip.Prefix, metadata int) error {
	if err := makeBridge(key, prefix); err != nil {
		return err
	}
	if err := makeTable(key, prefix, metadata); err != nil {
		return err
	}
	return acceptForwarding(key)
}

func makeBridge(key string, prefix netip.Prefix) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridgeName(key)
	// Without one of its own a bridge takes the address of a port, another one as machines come and go, and the
	// machines' ARP entries for the gateway go stale.
	attrs.HardwareAddr = HardwareAddr(gatewayOf(prefix))
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("add the bridge %s: %w", attrs.Name, err)
	}
	if err := netlink.AddrAdd(bridge, hostAddr(gatewayOf(prefix), prefix.Bits())); err != nil {
		return fmt.Errorf("give the bridge %s the address %s: %w", attrs.Name, gatewayOf(prefix), err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring the bridge %s up: %w", attrs.Name, err)
	}
	return nil
}

func hostAddr(a netip.Addr, bits int) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, 32)}}
}

// attach joins the network namespace of process pid to the bridge. Its end is called eth0, and is down.
func attach(key, id string, pid int, addr netip.Addr) error {
	bridge, err := netlink.LinkByName(bridgeName(key))
	if err != nil {
		return fmt.Errorf("the bridge %s: %w", bridgeName(key), err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = vethName(key, id)
	attrs.MasterIndex = bridge.Attrs().Index
	attrs.Flags = net.FlagUp
	veth := &netlink.Veth{
		LinkAttrs: attrs, PeerName: "eth0", PeerHardwareAddr: HardwareAddr(addr), PeerNamespace: netlink.NsPid(pid),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add the interface %s: %w", attrs.Name, err)
	}
	return nil
}

// detach removes the machine's interface now. The kernel does so too, some time after the namespace has gone.
func detach(key, id string) error { return deleteLink(vethName(key, id)) }

// deleteBridge removes the bridge and the machines' interfaces on it.
func deleteBridge(key string) error {
	bridge, err := netlink.LinkByName(bridgeName(key))
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the bridge %s: %w", bridgeName(key), err)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list this computer's interfaces: %w", err)
	}
	var errs []error
	for _, l := range links {
		if l.Attrs().MasterIndex == bridge.Attrs().Index {
			errs = append(errs, deleteLink(l.Attrs().Name))
		}
	}
	return errors.Join(errors.Join(errs...), deleteLink(bridgeName(key)))
}

func deleteLink(name string) error {
	link, err := netlink.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the interface %s: %w", name, err)
	}
	if err := netlink.LinkDel(link); err != nil && !isGone(err) {
		return fmt.Errorf("delete the interface %s: %w", name, err)
	}
	return nil
}

// setUpInside gives eth0 of the namespace that this process is in its address and its route.
func setUpInside(addr, gateway netip.Addr, bits int) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("eth0: %w", err)
	}
	if err := netlink.AddrAdd(eth0, hostAddr(addr, bits)); err != nil {
		return fmt.Errorf("give eth0 the address %s: %w", addr, err)
	}
	if err := netlink.LinkSetUp(eth0); err != nil {
		return fmt.Errorf("bring eth0 up: %w", err)
	}
	route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: gateway.AsSlice()}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("add the default route by %s: %w", gateway, err)
	}
	return nil
}
