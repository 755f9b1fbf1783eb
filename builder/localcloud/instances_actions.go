package localcloud

import (
	"slices"
)

const (
	userShutdown       = "Client.UserInitiatedShutdown"
	userShutdownReason = "Client.UserInitiatedShutdown: User initiated shutdown"
)

// move is one of the actions that send instances somewhere: refuse says why
// one cannot go, act sends it. All go, or none.
func move(c *Cloud, r *request, refuse func(*instance) error, act func(*instance)) (any, error) {
	all, err := c.findInstances(r)
	if err != nil {
		return nil, err
	}
	for _, inst := range all {
		if err := refuse(inst); err != nil {
			return nil, err
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	var answer changesOf
	for _, inst := range all {
		before := stateOf(inst.State)
		act(inst)
		answer.Items = append(answer.Items, changeItem{inst.ID, stateOf(inst.State), before})
	}
	return answer, nil
}

func wrongState(inst *instance, doing string) *fault {
	return faultf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s: it is %s.",
		inst.ID, doing, inst.State)
}

func startInstances(c *Cloud, r *request) (any, error) {
	r.text("AdditionalInfo")
	return move(c, r, func(inst *instance) error {
		if !slices.Contains([]string{stopped, running, pending}, inst.State) {
			return wrongState(inst, "started")
		}
		return nil
	}, func(inst *instance) {
		if inst.State != stopped {
			return
		}
		inst.Launched = c.now() // AWS's launch time is that of the last start
		c.transition(inst, pending, "pending", "pending")
	})
}

func stopInstances(c *Cloud, r *request) (any, error) {
	force := isTrue(r.boolean("Force"))
	for _, name := range []string{"Hibernate"} {
		if isTrue(r.boolean(name)) {
			return nil, faultf("UnsupportedHibernationConfiguration", "The local cloud cannot hibernate an instance.")
		}
	}
	return move(c, r, func(inst *instance) error {
		switch {
		case inst.KeepFromAPIStop:
			return faultf("OperationNotPermitted", "The instance '%s' may not be stopped. Modify its 'disableApiStop' "+
				"instance attribute and try again.", inst.ID)
		case inst.State == shuttingDown || inst.State == terminated:
			return wrongState(inst, "stopped")
		case inst.Spot != "" && inst.SpotType == "one-time":
			return faultf("UnsupportedOperation", "You can't stop the Spot Instance '%s' because it is associated with a one-time Spot Instance request.", inst.ID)
		}
		return nil
	}, func(inst *instance) {
		if inst.State == stopped {
			return
		}
		if force {
			c.hurry(inst.ID)
		}
		if inst.State != stopping {
			inst.ReasonTime = c.now()
			c.transition(inst, stopping, userShutdown, userShutdownReason)
		}
	})
}

func terminateInstances(c *Cloud, r *request) (any, error) {
	return move(c, r, func(inst *instance) error {
		if inst.KeepFromAPI && inst.State != terminated {
			return faultf("OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiTermination' "+
				"instance attribute and try again.", inst.ID)
		}
		return nil
	}, func(inst *instance) {
		if inst.State != terminated && inst.State != shuttingDown {
			c.terminate(inst)
		}
	})
}

// terminate begins to terminate an instance.
func (c *Cloud) terminate(inst *instance) {
	c.hurry(inst.ID) // nobody reads what such a machine would still write
	inst.ReasonTime = c.now()
	c.transition(inst, shuttingDown, userShutdown, userShutdownReason)
}

func rebootInstances(c *Cloud, r *request) (any, error) {
	_, err := move(c, r, func(inst *instance) error {
		if inst.State != running {
			return wrongState(inst, "rebooted")
		}
		return nil
	}, func(inst *instance) {
		c.lifeOf(inst.ID).reboot = true
		c.nudge(inst.ID)
	})
	if err != nil {
		return nil, err
	}
	return simpleAnswer{Return: true}, nil
}

type monitoringItem struct {
	InstanceID string `xml:"instanceId"`
	State      string `xml:"monitoring>state"`
}

func monitorInstances(c *Cloud, r *request) (any, error)   { return setMonitoring(c, r, true) }
func unmonitorInstances(c *Cloud, r *request) (any, error) { return setMonitoring(c, r, false) }

func setMonitoring(c *Cloud, r *request, on bool) (any, error) {
	all, err := c.findInstances(r)
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	var answer struct {
		Items []monitoringItem `xml:"instancesSet>item"`
	}
	for _, inst := range all {
		inst.Monitored = on
		answer.Items = append(answer.Items, monitoringItem{inst.ID, inst.monitoring()})
	}
	return answer, nil
}
