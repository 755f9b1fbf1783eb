package localcloud

import "time"

// cooldown is how long the protection of an image goes on that was enabled with it.
const cooldown = 24 * time.Hour

// protection keeps an image from being deregistered. The zero value does not.
type protection struct {
	On, Cooldown bool
	Until        time.Time // of a cooldown, after it was disabled
}

// isProtected says whether an image cannot be deregistered now.
func (c *Cloud) isProtected(img *image) bool {
	return img.Protection.On || c.now().Before(img.Protection.Until)
}

// protectionOf is what AWS says of it.
func (c *Cloud) protectionOf(img *image) string {
	switch p := img.Protection; {
	case p.On && p.Cooldown:
		return "enabled-with-cooldown"
	case p.On:
		return "enabled-without-cooldown"
	case c.now().Before(p.Until):
		return "disabled-with-cooldown: " + p.Until.UTC().Format(time.RFC3339)
	}
	return "disabled"
}

type protectionAnswer struct {
	Return string `xml:"return"`
}

func enableProtection(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	with := isTrue(r.boolean("WithCooldown"))
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	img.Protection = protection{On: true, Cooldown: with}
	return protectionAnswer{c.protectionOf(img)}, nil
}

func disableProtection(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	off := protection{}
	if img.Protection.On && img.Protection.Cooldown {
		off.Until = c.now().Add(cooldown)
	}
	img.Protection = off
	return protectionAnswer{c.protectionOf(img)}, nil
}
