package localcloud

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"
)

// cloudInfo is cloud.json: how to reach a cloud, and who it is. The keys and
// the endpoint outlive the server, so that a restart changes nothing for its
// users.
type cloudInfo struct {
	Endpoint  string
	DNS       string // the server for the hosted zones
	AccessKey string
	SecretKey string
	PID       int // 0 when no server is ready
	Started   time.Time
	Version   string
}

func (c *Cloud) writeInfo(pid int) error {
	old, err := readInfo(c.options.StateDir)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(cloudInfo{
		Endpoint:  cmp.Or(c.endpoint(), old.Endpoint),
		DNS:       c.DNS(),
		AccessKey: cmp.Or(c.keys.AccessKey, old.AccessKey),
		SecretKey: cmp.Or(c.keys.SecretKey, old.SecretKey),
		PID:       pid,
		Started:   c.started,
		Version:   version(),
	}, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(c.options.StateDir, infoName), text, 0o600)
}

// readInfo is empty when there never was a cloud.
func readInfo(stateDir string) (cloudInfo, error) {
	path := filepath.Join(stateDir, infoName)
	var info cloudInfo
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return info, nil
	}
	if err != nil {
		return info, err
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return info, fmt.Errorf("%s is damaged (%w); remove it, and start the local cloud again", path, err)
	}
	return info, nil
}

// version is that of the module this was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
