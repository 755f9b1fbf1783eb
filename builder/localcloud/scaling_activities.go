package localcloud

import (
	"fmt"
	"slices"
	"time"
)

// The status of an activity, by AWS's names.
const (
	activityInProgress = "InProgress"
	activityDraining   = "WaitingForELBConnectionDraining"
	activityHeld       = "MidLifecycleAction"
	activitySuccessful = "Successful"
	activityFailed     = "Failed"
	activityCancelled  = "Cancelled"
)

// maxActivities is how many are kept, of all groups.
const maxActivities = 300

// activity is something that a group did.
type activity struct {
	ID          string
	Region      string
	Group       string
	GroupARN    string
	GroupGone   bool
	Description string
	Cause       string
	Message     string
	Details     string
	Status      string
	Progress    int
	Start, End  time.Time
}

// record adds an activity of a group, the newest first.
func (c *Cloud) record(g *scalingGroup, description, cause, subnet, zone string) *activity {
	a := &activity{
		ID: newRequestID(), Region: g.Region, Group: g.Name, GroupARN: g.arn(), Description: description, Cause: cause,
		Status: activityInProgress, Start: c.now(),
		Details: fmt.Sprintf(`{"Subnet ID":%q,"Availability Zone":%q}`, subnet, zone),
	}
	c.state.Activities = append([]*activity{a}, c.state.Activities...)
	c.state.Activities = c.state.Activities[:min(len(c.state.Activities), maxActivities)]
	return a
}

// activityOf is the activity of an id; one that nobody reads when it is
// forgotten.
func (c *Cloud) activityOf(id string) *activity {
	at := slices.IndexFunc(c.state.Activities, func(a *activity) bool { return a.ID == id })
	if at < 0 {
		return &activity{}
	}
	return c.state.Activities[at]
}

// end ends an activity, once.
func (a *activity) end(status string, now time.Time) {
	if a.End.IsZero() {
		a.Status, a.Progress, a.End = status, 100, now
	}
}

type activityItem struct {
	ID          string `xml:"ActivityId"`
	Group       string `xml:"AutoScalingGroupName"`
	Description string
	Cause       string
	StartTime   string
	EndTime     string `xml:",omitempty"`
	StatusCode  string
	Message     string `xml:"StatusMessage,omitempty"`
	Progress    int
	Details     string
	State       string `xml:"AutoScalingGroupState,omitempty"`
	ARN         string `xml:"AutoScalingGroupARN"`
}

func (a *activity) item() activityItem {
	item := activityItem{
		ID:          a.ID,
		Group:       a.Group,
		Description: a.Description,
		Cause:       a.Cause,
		StartTime:   stamp(a.Start),
		StatusCode:  a.Status,
		Message:     a.Message,
		Progress:    a.Progress,
		Details:     a.Details,
		ARN:         a.GroupARN,
	}
	if !a.End.IsZero() {
		item.EndTime = stamp(a.End)
	}
	if a.GroupGone {
		item.State = "Deleted"
	}
	return item
}

// describeScalingActivities lists them, the newest first.
func describeScalingActivities(c *Cloud, r *request) (any, error) {
	ids, name := r.members("ActivityIds"), r.text("AutoScalingGroupName")
	gone := isTrue(r.boolean("IncludeDeletedGroups"))
	if name != "" && !gone {
		if _, err := c.findScalingGroup(r); err != nil {
			return nil, err
		}
	}
	var all []activityItem
	for _, a := range c.state.Activities {
		if a.Region != r.region || a.GroupGone && !gone || name != "" && a.Group != name || len(ids) > 0 && !slices.Contains(ids, a.ID) {
			continue
		}
		all = append(all, a.item())
	}
	page, next, err := recordsOf(r, all, 100)
	return struct {
		Activities []activityItem `xml:"Activities>member"`
		NextToken  string         `xml:"NextToken,omitempty"`
	}{page, next}, err
}
