package provision

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// extents are the parts of a file that hold data. A file system that knows of no holes has one.
func extents(name string, size int64) ([]extent, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []extent
	for at := int64(0); at < size; {
		from, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // a hole up to the end
			break
		}
		if err != nil {
			return []extent{{0, size}}, nil
		}
		to, err := unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		all = append(all, extent{from, min(to, size)})
		at = to
	}
	return all, nil
}
