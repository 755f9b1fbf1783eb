package builder

import "time"

// Image is what a build made.
type Image struct {
	ID        string // in Region
	Region    string
	Name      string
	Snapshots []string

	// Copies are the same image elsewhere: region to id.
	Copies map[string]string

	// Fingerprint is the digest of everything that decides the image; empty when that cannot be known.
	Fingerprint string

	// Reused says that the image was there already, since Created.
	Reused  bool
	Created time.Time

	Source SourceImage
	Took   time.Duration
	Waited time.Duration // of that, for another build of the same
}

// SourceImage is what a build started from.
type SourceImage struct {
	ID, Name, Owner, OwnerName, Architecture, RootDevice string
	Virtualization                                       string
	Created                                              time.Time
	Tags                                                 map[string]string
}
