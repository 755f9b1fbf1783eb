package localcloud

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
)

// Serve answers until ctx ends or a signed Shutdown call arrives, and closes the
// cloud. At the end of ctx all instances are stopped; a Shutdown call
// terminates them. A nil error means an orderly end.
func (c *Cloud) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(c.listener) }()
	c.log.Info("the local cloud answers", "endpoint", c.endpoint(), "network", c.machines.Prefix())
	var err error
	select {
	case <-ctx.Done():
	case <-c.shutdown:
		c.terminateAll()
	case err = <-ended:
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	if server.Shutdown(drain) != nil {
		server.Close() //nolint:errcheck // it is over
	}
	return errors.Join(err, c.Close())
}

// Close stops all machines and removes what the cloud made on this computer.
// Images, and the disks of the instances, stay. It may be called twice.
func (c *Cloud) Close() error {
	c.closing.Do(func() { c.closeErr = c.close() })
	return c.closeErr
}

func (c *Cloud) close() error {
	var errs []error
	if c.listener != nil {
		c.listener.Close() //nolint:errcheck // Serve may have closed it
	}
	if c.machines != nil {
		c.log.Info("stopping")
		c.stopAll()
	}
	c.closeBalance()
	c.cancel()
	if c.dns != nil {
		errs = append(errs, c.dns.close())
	}
	if c.metadata != nil {
		errs = append(errs, c.metadata.Close())
	}
	if c.machines != nil {
		errs = append(errs, c.machines.Close())
	}
	c.jobs.Wait()
	if c.lock == nil {
		return errors.Join(errs...)
	}
	if c.machines != nil { // else nothing has changed
		c.mu.Lock()
		errs = append(errs, c.save())
		c.mu.Unlock()
	}
	return errors.Join(append(errs, c.writeInfo(0), c.lock.Close())...)
}

func (c *Cloud) endpoint() string {
	if c.listener == nil {
		return ""
	}
	return "http://" + c.listener.Addr().String()
}

// Env is the environment that points any AWS tool at this cloud.
func (c *Cloud) Env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":      c.endpoint(),
		"AWS_REGION":            defaultRegion,
		"AWS_DEFAULT_REGION":    defaultRegion,
		"AWS_ACCESS_KEY_ID":     c.keys.AccessKey,
		"AWS_SECRET_ACCESS_KEY": c.keys.SecretKey,
	}
}
