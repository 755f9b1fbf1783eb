package builder

import "github.com/imagobuild/imago/provision"

// facts are what steps on this side may know.
func (b *Builder) facts(p Plan, inst instance) Facts {
	f := Facts{
		ID: inst.id, Host: inst.addr.host, Port: inst.addr.port, User: p.Config.SSH.User,
		Region: p.Config.Region, Source: p.Source, RunID: b.RunID,
		PublicKey: inst.temporaryKey, Password: p.Config.SSH.Password, Agent: p.Config.SSH.AgentSocket != "",
	}
	if len(inst.identity.Keys) > 0 {
		f.PrivateKey = string(inst.identity.Keys[0])
		if key, err := provision.ParseKey(inst.identity.Keys[0]); err == nil && f.PublicKey == "" {
			f.PublicKey = key.Public
		}
	}
	return f
}

// informed is a step with the facts of the machine in it.
func informed(s Step, f Facts) (Step, error) {
	switch u := s.(type) {
	case Upload:
		if u.Late != nil {
			return u.Late(f)
		}
	case Download:
		if u.Late != nil {
			return u.Late(f)
		}
	case Pause:
		if u.Late != nil {
			return u.Late(f)
		}
	}
	return s, nil
}
