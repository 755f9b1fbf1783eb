package localcloud

import (
	"fmt"
	"math"
	"time"
)

// metricPeriod is how long a datapoint takes where no delay says otherwise; on
// AWS it is a minute. An alarm needs several datapoints in a row.
const (
	metricPeriod = time.Second
	highPoints   = 3
	lowPoints    = 15
	lowMargin    = 0.9 // of the target: below it there are too many instances
)

// tracking is what is known of a policy's metric. It is not remembered over a
// restart: it begins anew.
type tracking struct {
	since    time.Time
	requests uint64
	cpu      map[string]time.Duration // by member
	high     int                      // datapoints in a row above the target
	low      int                      // and well below it
	wish     int                      // instances that the last datapoint calls for
}

// processorMeter is a guest that knows how long its processors have worked.
type processorMeter interface {
	ProcessorTime() (time.Duration, error)
}

// follow has the group's policies look at their metrics. The policy that wants
// most decides; to become smaller all of them have to agree.
func (s *scaler) follow() {
	most, least, agree := 0, 0, len(s.g.Policies) > 0
	var outBy, inBy *scalingPolicy
	for _, p := range s.g.Policies {
		t := s.measure(p)
		if t.high >= highPoints && t.wish > most {
			most, outBy = t.wish, p
		}
		if t.low < lowPoints || p.NoScaleIn || p.Disabled {
			agree = false
		} else if t.wish >= least {
			least, inBy = t.wish, p
		}
	}
	if s.g.isSuspended("AlarmNotification") || s.g.Deleting {
		return
	}
	switch {
	case outBy != nil && min(most, s.g.Max) > s.g.Desired:
		s.change(outBy, "High", min(most, s.g.Max))
	case agree && !s.warming() && max(least, s.g.Min) < s.g.Desired:
		s.change(inBy, "Low", max(least, s.g.Min))
	}
}

func (s *scaler) change(p *scalingPolicy, which string, desired int) {
	s.g.Why = fmt.Sprintf("At %s a monitor alarm %s in state ALARM triggered policy %s changing the desired capacity from %d to %d.",
		isoTime(s.now), p.alarm(s.g, which).Name, p.Name, s.g.Desired, desired)
	s.g.Desired, s.changed = desired, true
	for _, one := range s.g.Policies {
		s.trackingOf(one).low = 0
	}
}

func (s *scaler) trackingOf(p *scalingPolicy) *tracking {
	key := p.arn(s.g)
	t := s.c.tracked[key]
	if t == nil {
		t = &tracking{since: s.now}
		t.requests, t.cpu = s.c.targets.requests(p.targetGroup(s.g.Region)), s.processorTimes(p)
		s.c.tracked[key] = t
	}
	return t
}

// measure takes the next datapoint of a policy's metric when it is due.
func (s *scaler) measure(p *scalingPolicy) *tracking {
	t := s.trackingOf(p)
	period := s.c.options.Delays[delayMetric]
	if period <= 0 {
		period = metricPeriod
	}
	took := s.now.Sub(t.since)
	if took < period {
		return t
	}
	value, n := s.requestsEach(p, t, took)
	if p.Metric == metricCPU {
		value, n = s.utilization(p, t, took)
	}
	t.since = s.now
	if n == 0 || p.Disabled { // no data is no reason
		t.high, t.low = 0, 0
		return t
	}
	t.wish = int(math.Ceil(value * float64(n) / p.Target))
	t.high, t.low = inARow(t.high, value > p.Target), inARow(t.low, value < lowMargin*p.Target)
	return t
}

func inARow(n int, again bool) int {
	if !again {
		return 0
	}
	return n + 1
}

// requestsEach is how many requests a minute each target has had, and how many
// targets there are.
func (s *scaler) requestsEach(p *scalingPolicy, t *tracking, took time.Duration) (each float64, n int) {
	group := p.targetGroup(s.g.Region)
	count := s.c.targets.requests(group)
	for _, m := range s.g.Members {
		if m.State == memberInService && s.c.targets.health(group, m.ID) == targetHealthy {
			n++
		}
	}
	if n > 0 {
		each = float64(count-t.requests) / float64(n) * float64(time.Minute) / float64(took)
	}
	t.requests = count
	return each, n
}

// utilization is how busy the processors of the instances are, in percent, of
// those that have warmed up.
func (s *scaler) utilization(p *scalingPolicy, t *tracking, took time.Duration) (percent float64, n int) {
	now := s.processorTimes(p)
	for id, worked := range now {
		if before, known := t.cpu[id]; known {
			percent += float64(worked-before) / float64(took) * 100
			n++
		}
	}
	t.cpu = now
	if n > 0 {
		percent /= float64(n)
	}
	return percent, n
}

func (s *scaler) processorTimes(p *scalingPolicy) map[string]time.Duration {
	all := map[string]time.Duration{}
	if p.Metric != metricCPU {
		return all
	}
	for _, m := range s.g.Members {
		l := s.c.lives[m.ID]
		if m.State != memberInService || !s.isWarm(m, p.Warmup) || l == nil {
			continue
		}
		if meter, can := l.guest.(processorMeter); can {
			if worked, err := meter.ProcessorTime(); err == nil {
				all[m.ID] = worked
			}
		}
	}
	return all
}

// isWarm says whether a member has been in service for as long as the policy,
// or else the group, says that it takes.
func (s *scaler) isWarm(m *groupMember, warmup *int) bool {
	if warmup == nil {
		warmup = s.g.Warmup
	}
	if warmup == nil {
		warmup = &s.g.Cooldown
	}
	return s.now.Sub(m.Entered) >= seconds(*warmup)
}

// warming says whether a member is not warm, or not in service yet.
func (s *scaler) warming() bool {
	for _, m := range s.g.Members {
		for _, p := range s.g.Policies {
			if !m.leaving() && (m.State != memberInService || !s.isWarm(m, p.Warmup)) {
				return true
			}
		}
	}
	return false
}
