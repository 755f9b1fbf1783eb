package provision

import "io/fs"

// Tree is a local file or directory, and where it goes on the machine. The
// meaning of the paths is cp -R's: a Source that ends in a slash stands for its
// contents; a directory without one goes into an existing Dest, or becomes a
// missing one. A Dest that ends in a slash is a directory. A Source that is itself
// a symbolic link is followed; links inside are sent as links.
type Tree struct {
	// Source is a local file or directory. Exactly one of Source and Content is set.
	Source string

	// Content is the contents of one file, for trees that are not on disk.
	Content []byte

	// Dest is the absolute path on the machine. A relative one, and one that begins
	// with "~/", is in the home directory. Required.
	Dest string

	// Mode is the mode of Content's file. Optional; defaults to 0644.
	Mode fs.FileMode

	// Include and Exclude are patterns (path.Match, ** for any depth), relative to
	// Source; a directory that matches stands for all it holds. "*.log" is a file
	// at the top, "**/*.log" one anywhere. Exclude wins. An Include that matches
	// nothing is an error. Optional; by default everything is sent.
	Include, Exclude []string

	// Sudo writes as root, for destinations that the user may not write. Optional.
	Sudo bool
}

// Listing is what a Tree holds, learned without touching the machine.
type Listing struct {
	Files int   // regular files
	Bytes int64 // their sizes added up

	// Name is what the root may be called on the machine; empty when only what it holds goes there.
	Name string

	// Digest is a SHA-256 over paths, contents, modes and link targets, in hex. Times do not count.
	Digest string
}

// Fetch is a file or directory on the machine, and where it goes locally.
type Fetch struct {
	// Source is a path on the machine; a relative one is in the home directory. A
	// trailing slash means a directory's contents; a pattern (*, ?, [) means
	// everything that matches. Required.
	Source string

	// Dest is where it goes locally. A file goes into an existing directory, or one
	// with a trailing slash, under its own name; so does a directory into an
	// existing one. Contents and matches go into Dest, which is made. Required.
	Dest string
}

// Progress is how far an upload or download is.
type Progress struct {
	Path              string // the file under way, relative to the tree's root; "" for the root itself
	Done, Total       int64  // bytes of the whole tree
	Files, TotalFiles int    // regular files, those that have arrived and all
}
