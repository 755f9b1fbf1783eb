package provision

import "io/fs"

// Tree is a local file or directory, and where it goes on the machine. The
// meaning of the paths is cp -R's: a Source that ends in a slash stands for its
// contents; a directory without one goes into an existing Dest, or becomes a
// missing one. A Dest that ends in a slash is a directory.
type Tree struct {
	// Source is a local file or directory. Exactly one of Source and Content is set.
	Source string

	// Content is the contents of one file, for trees that are not on disk.
	Content []byte

	// Dest is the absolute path on the machine. A relative one is relative to the home directory. Required.
	Dest string

	// Mode is the mode of Content's file. Optional; defaults to 0644.
	Mode fs.FileMode

	// Include and Exclude are patterns (path.Match, ** for any depth), relative to
	// Source. Optional; by default everything is included and nothing excluded.
	Include, Exclude []string

	// Sudo writes as root, for destinations that the user may not write. Optional.
	Sudo bool
}

// Listing is what a Tree holds, learned without touching the machine.
type Listing struct {
	Files int   // regular files
	Bytes int64 // their sizes added up

	// Digest is a SHA-256 over paths, contents, modes and link targets, in hex. Times do not count.
	Digest string
}

// Fetch is a file or directory on the machine, and where it goes locally.
type Fetch struct {
	Source string // on the machine; a trailing slash or a pattern means the contents
	Dest   string // local
}

// Progress is how far an upload or download is.
type Progress struct {
	Path              string // the file being sent
	Done, Total       int64  // bytes of the whole tree
	Files, TotalFiles int
}
