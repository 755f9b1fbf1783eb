package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/pkg/sftp"
)

// requestsInFlight is how many packets of 32 KiB one file may have under way:
// as many as OpenSSH's window of 2 MiB holds.
const requestsInFlight = 64

// rootServer runs OpenSSH's SFTP server as root, wherever the distribution put it.
const rootServer = `for server in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/libexec/sftp-server; do
	if [ -x "$server" ]; then exec "$server"; fi
done
echo "there is neither tar nor an sftp-server program to write as root with" >&2
exit 1`

// openSFTP starts an SFTP session that ends with ctx or when it is closed.
func (h *Host) openSFTP(ctx context.Context, sudo bool) (*sftp.Client, error) {
	session, err := h.client.NewSession()
	if err != nil {
		return nil, h.channelError("open an SFTP session", err)
	}
	stderr := &tail{}
	session.Stderr = stderr
	in, inErr := session.StdinPipe()
	out, outErr := session.StdoutPipe()
	if sudo {
		err = session.Start(command(asRoot([]string{"sh", "-c", rootServer})...))
	} else {
		err = session.RequestSubsystem("sftp")
	}
	if err = errors.Join(inErr, outErr, err); err != nil {
		session.Close()
		return nil, h.channelError("open an SFTP session", err)
	}
	stop := context.AfterFunc(ctx, func() { session.Close() })
	client, err := sftp.NewClientPipe(out, in,
		sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(requestsInFlight))
	if err != nil {
		stop()
		session.Close()
		_ = session.Wait() // its stderr is complete then
		return nil, causeOr(ctx, fmt.Errorf("open an SFTP session on %s: %w %s", h.addr, err, stderr))
	}
	go func() {
		_ = client.Wait()
		stop()
		session.Close()
	}()
	return client, nil
}
