package limit

import "context"

// Party is a user with their accounts and client address, as a gate counts them. A nil party
// is the server itself: no share limits it.
type Party struct {
	keys []key // the first one has the queue
}

type key struct {
	kind kind
	id   string
}

type kind int

const (
	ofServer kind = iota
	ofUser
	ofAccount
	ofAddress
)

// NewParty returns the party of a user, who counts for all of their accounts and for the
// client's address. The user is empty for a visitor who is not signed in.
func NewParty(user string, accounts []string, ip string) *Party {
	p := &Party{keys: make([]key, 0, 2+len(accounts))}
	if user != "" {
		p.keys = append(p.keys, key{ofUser, user})
	}
	if ip != "" {
		p.keys = append(p.keys, key{ofAddress, Network(ip)})
	}
	return p.with(accounts)
}

// In returns the party for work on certain accounts only. It waits in the queue of the first
// account, so that the accounts take turns and not their users.
func (p *Party) In(accounts []string) *Party {
	if len(accounts) == 0 {
		return p
	}
	in := (&Party{keys: make([]key, 0, 1+len(accounts))}).with(accounts)
	for _, k := range p.counted() {
		if k.kind == ofUser {
			in.keys = append(in.keys, k)
		}
	}
	return in
}

func (p *Party) with(accounts []string) *Party {
	for _, id := range accounts {
		p.keys = append(p.keys, key{ofAccount, id})
	}
	return p
}

// counted returns the keys whose shares the party uses.
func (p *Party) counted() []key {
	if p == nil {
		return nil
	}
	return p.keys
}

func (p *Party) queue() key {
	if p == nil || len(p.keys) == 0 {
		return key{}
	}
	return p.keys[0]
}

type partyKey struct{}

// WithParty returns a context in which the party does everything.
func WithParty(ctx context.Context, p *Party) context.Context {
	return context.WithValue(ctx, partyKey{}, p)
}

// PartyFrom returns the party of the context, or nil.
func PartyFrom(ctx context.Context) *Party {
	p, _ := ctx.Value(partyKey{}).(*Party)
	return p
}
