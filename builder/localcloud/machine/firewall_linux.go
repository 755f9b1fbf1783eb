package machine

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

func tableName(key string) string { return "imago-" + key }

// metadataAddr is where cloud-init looks for the instance's metadata. It is an address of nobody here: on a computer
// that is itself an instance it belongs to that cloud, and inside the machine it would keep a server from port 80.
var metadataAddr = netip.AddrFrom4([4]byte{169, 254, 169, 254})

// makeTable makes the host's own nftables table: the machines' way out, and the way to the metadata service.
func makeTable(key string, prefix netip.Prefix, metadata int) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName(key)})
	out := conn.AddChain(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: out, Exprs: slices.Concat(
		fromSubnet(prefix), interfaceIs(expr.MetaKeyOIFNAME, expr.CmpOpNeq, bridgeName(key)), []expr.Any{&expr.Masq{}})})
	if metadata > 0 {
		in := conn.AddChain(&nftables.Chain{
			Name: "prerouting", Table: table, Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
		})
		conn.AddRule(&nftables.Rule{Table: table, Chain: in, Exprs: slices.Concat(
			interfaceIs(expr.MetaKeyIIFNAME, expr.CmpOpEq, bridgeName(key)), toPort(metadataAddr, 80), redirect(gatewayOf(prefix), metadata))})
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("add the nftables table %s (the kernel needs nf_tables with NAT): %w", tableName(key), err)
	}
	return nil
}

func deleteTable(key string) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return fmt.Errorf("list the nftables tables: %w", err)
	}
	for _, t := range tables {
		if t.Name == tableName(key) {
			conn.DelTable(t)
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("delete the nftables table %s: %w", tableName(key), err)
	}
	return nil
}

// acceptForwarding lets the machines' packets through chains of iptables that would drop them: Docker's, whose policy for
// forwarded packets is to drop them, and anything else with that policy. An accept in a table of one's own does not
// override a drop in another.
func acceptForwarding(key string) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	chain, err := droppingChain(conn)
	if err != nil || chain == nil {
		return err
	}
	for _, side := range []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME} {
		conn.InsertRule(&nftables.Rule{
			Table: chain.Table, Chain: chain, UserData: ruleMark(key),
			Exprs: append(interfaceIs(side, expr.CmpOpEq, bridgeName(key)), &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictAccept}),
		})
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("accept the machines' packets in the chain %s: %w", chain.Name, err)
	}
	return nil
}

// droppingChain is the chain of the table "filter" to insert into: Docker's own for this, or FORWARD when it drops; nil
// when nothing is in the way.
func droppingChain(conn *nftables.Conn) (*nftables.Chain, error) {
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return nil, fmt.Errorf("list the nftables chains: %w", err)
	}
	var forward *nftables.Chain
	for _, c := range chains {
		if c.Table.Name != "filter" {
			continue
		}
		if c.Name == "DOCKER-USER" {
			return c, nil
		}
		if c.Name == "FORWARD" && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
			forward = c
		}
	}
	return forward, nil
}

// withdrawForwarding removes the rules that acceptForwarding inserted, from whichever chain they are in.
func withdrawForwarding(key string) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return fmt.Errorf("list the nftables chains: %w", err)
	}
	var errs []error
	for _, c := range chains {
		if c.Table.Name != "filter" || c.Name != "DOCKER-USER" && c.Name != "FORWARD" {
			continue
		}
		rules, err := conn.GetRules(c.Table, c)
		if err != nil {
			errs = append(errs, fmt.Errorf("list the rules of the chain %s: %w", c.Name, err))
		}
		for _, r := range rules {
			if bytes.Equal(r.UserData, ruleMark(key)) {
				errs = append(errs, conn.DelRule(r))
			}
		}
	}
	return errors.Join(errors.Join(errs...), conn.Flush())
}

// ruleMark is a comment in the form that nft and iptables show: type 0, length, text.
func ruleMark(key string) []byte {
	text := append([]byte("imago-"+key), 0)
	return append([]byte{0, byte(len(text))}, text...)
}

func interfaceIs(key expr.MetaKey, op expr.CmpOp, name string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: padded}}
}

// The offsets are those of an IPv4 header (source 12, destination 16) and of a TCP header (destination port 2).

func fromSubnet(p netip.Prefix) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(p.Bits(), 32), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Masked().Addr().AsSlice()},
	}
}

func toPort(a netip.Addr, port uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: a.AsSlice()},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
	}
}

func redirect(to netip.Addr, port int) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: to.AsSlice()},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(uint16(port))},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}
}
