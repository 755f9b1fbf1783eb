package localcloud

import (
	"net/netip"
	"slices"
)

// routesOf is the routes of a table as they are shown. One to a gateway that is
// not attached any more leads nowhere.
func (c *Cloud) routesOf(t *routeTable) []routeItem {
	var all []routeItem
	if v := c.state.Vpcs[t.VpcID]; v != nil {
		all = append(all, routeItem{Destination: c.blockOf(v).String(), GatewayID: "local", State: "active", Origin: "CreateRouteTable"})
	}
	for _, one := range t.Routes {
		item := routeItem{Destination: one.Destination, GatewayID: one.Gateway, State: "active", Origin: "CreateRoute"}
		if g := c.state.Gateways[one.Gateway]; g == nil || g.VpcID != t.VpcID {
			item.State = "blackhole"
		}
		all = append(all, item)
	}
	return all
}

// readRoute reads a route to an internet gateway: others lead nowhere here.
func (c *Cloud) readRoute(r *request) (*routeTable, route, error) {
	t, err := c.findRouteTable(r.region, r.need("RouteTableId"))
	destination := readDestination(r)
	id := r.need("GatewayId")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, route{}, err
	}
	g := c.state.Gateways[id]
	switch {
	case g == nil || g.Region != r.region:
		return nil, route{}, faultf("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", id)
	case g.VpcID != t.VpcID:
		return nil, route{}, faultf("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", t.ID, g.ID)
	}
	return t, route{destination, id}, nil
}

func readDestination(r *request) string {
	text := r.need("DestinationCidrBlock")
	block, err := netip.ParsePrefix(text)
	if text != "" && (err != nil || !block.Addr().Is4()) {
		r.problem(badValue("destinationCidrBlock", text, "This is not a valid CIDR block."))
	}
	return block.Masked().String()
}

func (t *routeTable) find(destination string) int {
	return slices.IndexFunc(t.Routes, func(one route) bool { return one.Destination == destination })
}

// isLocal says whether a destination is that of the table's local route.
func (c *Cloud) isLocal(t *routeTable, destination string) bool {
	return c.routesOf(t)[0].Destination == destination
}

func createRoute(c *Cloud, r *request) (any, error) {
	t, made, err := c.readRoute(r)
	if err != nil {
		return nil, err
	}
	if t.find(made.Destination) >= 0 || c.isLocal(t, made.Destination) {
		return nil, faultf("RouteAlreadyExists", "The route identified by %s already exists.", made.Destination)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	t.Routes = append(t.Routes, made)
	return simpleAnswer{Return: true}, nil
}

func replaceRoute(c *Cloud, r *request) (any, error) {
	t, made, err := c.readRoute(r)
	if err != nil {
		return nil, err
	}
	at := t.find(made.Destination)
	if at < 0 {
		return nil, faultf("InvalidParameterValue", "There is no route defined for '%s' in the route table. Use CreateRoute instead.", made.Destination)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	t.Routes[at] = made
	return simpleAnswer{Return: true}, nil
}

func deleteRoute(c *Cloud, r *request) (any, error) {
	t, err := c.findRouteTable(r.region, r.need("RouteTableId"))
	destination := readDestination(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	at := t.find(destination)
	switch {
	case c.isLocal(t, destination):
		return nil, faultf("InvalidParameterValue", "cannot remove local route %s in route table %s", destination, t.ID)
	case at < 0:
		return nil, faultf("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", destination, t.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	t.Routes = slices.Delete(t.Routes, at, at+1)
	return simpleAnswer{Return: true}, nil
}
