package localcloud

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	aliasTTL = 60  // seconds, as of every alias to a load balancer
	udpSize  = 512 // a longer answer has to be asked for by TCP
	dnsWait  = 10 * time.Second
)

// dns answers for the hosted zones, on UDP and TCP.
type dns struct {
	c   *Cloud
	udp *net.UDPConn
	tcp *net.TCPListener
}

// openDNS listens on a free port, the same for both.
func openDNS(c *Cloud) (*dns, error) {
	var last error
	for range 10 { // somebody may have the port of the one that the other got
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: udp.LocalAddr().(*net.UDPAddr).Port})
		if err == nil {
			return &dns{c: c, udp: udp, tcp: tcp}, nil
		}
		udp.Close()
		last = err
	}
	return nil, last
}

// DNS is where the server for the hosted zones answers; "" when it does not.
func (c *Cloud) DNS() string {
	if c.dns == nil {
		return ""
	}
	return c.dns.udp.LocalAddr().String()
}

func (d *dns) close() error { return errors.Join(d.udp.Close(), d.tcp.Close()) }

func (d *dns) serve() {
	d.c.jobs.Go(d.serveUDP)
	d.c.jobs.Go(d.serveTCP)
}

func (d *dns) serveUDP() {
	buffer := make([]byte, 4096)
	for {
		n, from, err := d.udp.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		answer, err := d.answer(buffer[:n], udpSize)
		if err != nil {
			d.c.log.Debug("a question to the DNS server", "why", err)
			continue
		}
		d.udp.WriteToUDPAddrPort(answer, from) //nolint:errcheck // who asked asks again
	}
}

func (d *dns) serveTCP() {
	for {
		conn, err := d.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			d.c.jobs.Go(func() { d.serveConn(conn) })
		}
	}
}

// serveConn answers what comes over one connection, as long as it comes soon.
func (d *dns) serveConn(conn net.Conn) {
	defer conn.Close()
	for {
		conn.SetDeadline(time.Now().Add(dnsWait)) //nolint:errcheck // the next read says it
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		answer, err := d.answer(question, 65535)
		if err != nil {
			return
		}
		if _, err := conn.Write(binary.BigEndian.AppendUint16(nil, uint16(len(answer)))); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// answer answers one message; one that is longer than most is cut.
func (d *dns) answer(message []byte, most int) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired},
		Questions: []dnsmessage.Question{question},
	}
	d.fill(&reply, question)
	out, err := reply.Pack()
	if err == nil && len(out) > most {
		reply.Truncated, reply.Answers = true, nil
		out, err = reply.Pack()
	}
	return out, err
}

// fill answers a question from the zones.
func (d *dns) fill(reply *dnsmessage.Message, question dnsmessage.Question) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	name := qualified(question.Name.String())
	z := d.c.zoneOf(name)
	if z == nil {
		reply.RCode = dnsmessage.RCodeRefused
		return
	}
	if !slices.ContainsFunc(z.Records, func(s recordSet) bool { return s.Name == name }) {
		reply.RCode = dnsmessage.RCodeNameError
		return
	}
	wanted := strings.TrimPrefix(question.Type.String(), "Type")
	set := drawn(z.Records, name, wanted)
	if set == nil {
		if set = drawn(z.Records, name, "CNAME"); set == nil {
			return // the name is there, without such a record
		}
	}
	reply.Answers = d.c.resources(question.Name, z, *set)
}

// zoneOf is the zone with the longest name that a name is in.
func (c *Cloud) zoneOf(name string) *hostedZone {
	var best *hostedZone
	for _, z := range c.state.Zones {
		if (name == z.Name || strings.HasSuffix(name, "."+z.Name)) && (best == nil || len(z.Name) > len(best.Name)) {
			best = z
		}
	}
	return best
}

// drawn is the set of a name and a type; of several with weights, one by weight.
func drawn(records []recordSet, name, kind string) *recordSet {
	var all []recordSet
	sum := 0
	for _, s := range records {
		if s.Name == name && s.Type == kind {
			all = append(all, s)
			sum += pointed(s.Weight)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if sum == 0 { // simple, or all have the weight 0
		return &all[rand.IntN(len(all))]
	}
	at := rand.IntN(sum)
	for i, s := range all {
		if at < pointed(s.Weight) {
			return &all[i]
		}
		at -= pointed(s.Weight)
	}
	return &all[0]
}

// resources are a set's records, an alias's being those of what it points at.
func (c *Cloud) resources(name dnsmessage.Name, z *hostedZone, set recordSet) []dnsmessage.Resource {
	ttl, values := pointed(set.TTL), set.Values
	if set.Alias != nil {
		ttl, values = aliasTTL, c.aliased(z, set, 0)
	}
	var all []dnsmessage.Resource
	for _, value := range values {
		if body := resource(set.Type, value); body != nil {
			all = append(all, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: uint32(ttl)}, Body: body})
		}
	}
	return all
}

// aliased is what an alias stands for: a load balancer's address, or the values
// of another record of the zone, which may be an alias again.
func (c *Cloud) aliased(z *hostedZone, set recordSet, depth int) []string {
	to := strings.TrimPrefix(qualified(set.Alias.DNSName), "dualstack.")
	for _, lb := range c.state.Balancers {
		if qualified(lb.Address) == to && set.Type == "A" {
			return []string{lb.Address}
		}
	}
	other := drawn(z.Records, to, set.Type)
	switch {
	case other == nil || depth > 8:
		return nil
	case other.Alias != nil:
		return c.aliased(z, *other, depth+1)
	}
	return other.Values
}

func resource(kind, value string) dnsmessage.ResourceBody {
	switch kind {
	case "A", "AAAA":
		addr, err := netip.ParseAddr(value)
		switch {
		case err != nil:
			return nil
		case addr.Is4():
			return &dnsmessage.AResource{A: addr.As4()}
		}
		return &dnsmessage.AAAAResource{AAAA: addr.As16()}
	case "CNAME":
		if name, err := dnsmessage.NewName(qualified(value)); err == nil {
			return &dnsmessage.CNAMEResource{CNAME: name}
		}
	case "NS":
		if name, err := dnsmessage.NewName(qualified(value)); err == nil {
			return &dnsmessage.NSResource{NS: name}
		}
	case "TXT":
		return &dnsmessage.TXTResource{TXT: []string{strings.Trim(value, `"`)}}
	}
	return nil
}
