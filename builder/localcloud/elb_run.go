package localcloud

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// balance is the data plane of all load balancers: what listens and checks while
// the cloud is open. It is guarded by the cloud's mu.
type balance struct {
	c         *Cloud
	groups    map[string]*balancer.Group // by ARN
	listeners map[string]*openListener   // by ARN
	closing   sync.WaitGroup
}

// openListener is a listener, and what it was opened with.
type openListener struct {
	*balancer.Listener
	config openConfig
}

// openConfig is what cannot be changed without opening the listener anew.
type openConfig struct {
	addr netip.AddrPort
	idle time.Duration
	tls  bool
}

func newBalance(c *Cloud) *balance {
	return &balance{c: c, groups: map[string]*balancer.Group{}, listeners: map[string]*openListener{}}
}

// route brings the data plane in line with the state. The caller holds c.mu.
func (c *Cloud) route() error {
	b := c.balance
	for id, g := range c.state.TargetGroups {
		b.open(id, g)
	}
	if err := b.listen(); err != nil {
		return err
	}
	for id, l := range b.listeners {
		if c.state.Listeners[id] == nil {
			b.closeListener(id, l)
		}
	}
	for id, g := range b.groups {
		if c.state.TargetGroups[id] == nil {
			delete(b.groups, id)
			b.closing.Go(g.Close)
			continue
		}
		g.Use(len(c.balancersOf(id)) > 0)
	}
	return nil
}

// open has a target group run.
func (b *balance) open(id string, g *targetGroup) {
	config := g.config(b.c.options.Delays["draining"])
	if running := b.groups[id]; running != nil {
		running.Configure(config)
		return
	}
	b.groups[id] = balancer.NewGroup(config)
	for _, t := range g.Targets {
		b.register(id, t, b.c.state.Instances[t.ID])
	}
}

// register makes an instance a target of the data plane.
func (b *balance) register(group string, t registered, inst *instance) {
	if inst == nil {
		return
	}
	if addr, err := netip.ParseAddr(inst.PrivateIP); err == nil {
		b.groups[group].Register(t.ID, netip.AddrPortFrom(addr, uint16(t.Port)))
	}
}

// listen opens the listeners that are not open yet, and gives all their rules.
func (b *balance) listen() error {
	for id, l := range b.c.state.Listeners {
		config := b.configOf(l)
		if open := b.listeners[id]; open != nil && open.config != config {
			b.closeListener(id, open)
		}
		if b.listeners[id] == nil {
			opened, err := b.openListener(config)
			if err != nil {
				return faultf("InvalidConfigurationRequest", "Port %d of the load balancer cannot be opened on this computer: %v", l.Port, err)
			}
			b.listeners[id] = &openListener{opened, config}
		}
		var rules []balancer.Rule
		for _, one := range b.c.rulesOf(id) {
			rules = append(rules, b.rule(one))
		}
		b.listeners[id].Route(append(rules, balancer.Rule{Action: b.action(l.Default)}))
	}
	return nil
}

func (b *balance) configOf(l *listener) openConfig {
	lb := b.c.state.Balancers[l.Balancer]
	seconds, err := strconv.Atoi(withDefaults(lb.Attributes, balancerAttributes())["idle_timeout.timeout_seconds"])
	if err != nil {
		seconds = 60
	}
	addr, _ := netip.ParseAddr(lb.Address) // ours
	return openConfig{addr: netip.AddrPortFrom(addr, uint16(l.Port)), idle: time.Duration(seconds) * time.Second, tls: l.Protocol == "HTTPS"}
}

func (b *balance) openListener(config openConfig) (*balancer.Listener, error) {
	to := balancer.ListenerConfig{Addrs: []netip.AddrPort{config.addr}, Idle: config.idle, Log: b.c.log}
	if config.tls {
		certificate, err := selfSigned(config.addr.Addr())
		if err != nil {
			return nil, err
		}
		to.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	return balancer.Listen(to)
}

// closeListener frees the port at once; what is in flight has a few seconds.
func (b *balance) closeListener(id string, l *openListener) {
	delete(b.listeners, id)
	b.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			b.c.log.Info("a listener's connections were cut off", slog.Any("why", err))
		}
	})
}

// closeBalance ends all of it.
func (c *Cloud) closeBalance() {
	c.mu.Lock()
	b := c.balance
	for id, l := range b.listeners {
		b.closeListener(id, l)
	}
	for _, g := range b.groups {
		b.closing.Go(g.Close)
	}
	c.mu.Unlock()
	b.closing.Wait()
}

// balancedTargets are the targets of the load balancers, for Auto Scaling.
type balancedTargets struct{ c *Cloud }

func (b balancedTargets) has(region, group string) bool {
	_, err := b.c.findTargetGroup(region, group)
	return err == nil
}

func (b balancedTargets) register(group, id string) {
	if g := b.c.state.TargetGroups[group]; g != nil {
		b.c.addTarget(g, registered{ID: id, Port: g.Port})
	}
}

func (b balancedTargets) deregister(group, id string) {
	if g := b.c.state.TargetGroups[group]; g != nil {
		b.c.dropTarget(g, registered{ID: id, Port: g.Port})
	}
}

func (b balancedTargets) health(group, id string) string {
	g := b.c.balance.groups[group]
	if g == nil {
		return ""
	}
	for _, h := range g.Health() {
		if h.ID == id {
			return h.State
		}
	}
	return ""
}

func (b balancedTargets) requests(group string) uint64 {
	if g := b.c.balance.groups[group]; g != nil {
		return g.Requests()
	}
	return 0
}
