package localcloud

const (
	getCallerIdentity = "GetCallerIdentity"
	callerARN         = "arn:aws:iam::" + accountID + ":root"
)

func stsActions() map[string]handler {
	return map[string]handler{getCallerIdentity: callerIdentity}
}

// callerIdentity answers GetCallerIdentity: there is one caller, the owner of all.
func callerIdentity(*Cloud, *request) (any, error) {
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{callerARN, accountID, accountID}, nil
}
