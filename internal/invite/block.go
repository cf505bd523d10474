package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// ofAddressee finds the invitation for its addressee: the signed-in user of its address, or
// the holder of the mailed link. It fails like locate, and with EMAIL_MISMATCH for another
// user or AUTHENTICATION_REQUIRED for a link that was not mailed: its holder may be the
// inviter.
func (s *Service) ofAddressee(ctx context.Context, viewer *access.Viewer, r Reference) (*ent.Invitation, error) {
	i, err := s.locate(ctx, viewer, r)
	switch {
	case err != nil:
		return nil, err
	case viewer != nil && viewer.EmailKey != i.EmailKey:
		return nil, mismatch(i, viewer)
	case viewer == nil && !s.opensAlone(i):
		return nil, signInFirst()
	}
	return i, nil
}

// opensAlone reports whether the link of the invitation shows that its holder is the
// addressee. One that was handed over does so only while the server has no mail: later, its
// holder may be the inviter, whom a decline or a block is against.
func (s *Service) opensAlone(i *ent.Invitation) bool {
	return i.TokenMailed && (s.NoMail || proofOf(i) == user.EmailProofMail)
}

// Block refuses all further invitations to the addressee from the account of an invitation,
// whatever its state, in all teams of the account, until Unblock. Doing it twice is a
// success. It returns the id of the block. Block needs no permission: it needs the addressee
// as Decline does, and fails like it, but not for the state. The account is not told, and
// it works in a suspended account too.
func (s *Service) Block(ctx context.Context, r Reference) (id string, err error) {
	viewer := access.ViewerFrom(ctx)
	ctx = access.System(ctx, "block an account for an addressee")
	located, err := s.ofAddressee(ctx, viewer, r)
	if err != nil {
		return "", err
	}
	var i *ent.Invitation
	return id, s.Door.Do(ctx, answering(viewer, located, r, &i), func(ctx context.Context, a *act.Act) error {
		id, err = s.block(ctx, a.Tx, i)
		return err
	})
}

func (s *Service) block(ctx context.Context, tx *store.Tx, i *ent.Invitation) (id string, err error) {
	c, err := s.coolOff(ctx, tx, i.AccountID, i.EmailKey)
	if err != nil || c.BlockedAt != nil {
		return idOf(c), err
	}
	now := s.Now()
	if err := tx.CoolOff.UpdateOne(c).SetBlockedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
		return "", fmt.Errorf("block account %s: %w", i.AccountID, err)
	}
	return c.ID, nil
}

func idOf(c *ent.CoolOff) string {
	if c == nil {
		return ""
	}
	return c.ID
}

// Unblocking names a block: by its id, or by the token of an invitation's link. Exactly one
// of them is set.
type Unblocking struct {
	BlockID string
	Token   string
}

// Unblock takes a block back, and ends the cool-off of the address, so that the account may
// invite it again at once. By a link it does so also when there is no block, for somebody
// who declined by mistake. It needs the owner of the address, and fails like Block; for an
// id that is no block of the viewer's address, with UNAUTHENTICATED, FORBIDDEN for an API key, or NOT_FOUND. It returns
// the id of the block, empty when there was none.
func (s *Service) Unblock(ctx context.Context, u Unblocking) (id string, err error) {
	viewer := access.ViewerFrom(ctx)
	if u.BlockID == "" {
		return s.unblockByLink(ctx, viewer, u.Token)
	}
	if _, err := access.Person(ctx); err != nil {
		return "", err
	}
	own := func(ctx context.Context, client *ent.Client) (*ent.CoolOff, error) {
		c, err := client.CoolOff.Query().Where(
			cooloff.ID(u.BlockID), cooloff.AddressHash(address.Hash(viewer.EmailKey)), cooloff.BlockedAtNotNil()).Only(ctx)
		if ent.IsNotFound(err) || viewer.Unproven {
			return nil, fault.Refuse(fault.NotFound, "There is no such block.")
		}
		return c, err
	}
	ctx = access.System(ctx, "unblock an account for an addressee")
	c, err := own(ctx, s.Store.Read())
	if err != nil {
		return "", err
	}
	rule := act.AsAddressee(c.AccountID, viewer.UserID, func(ctx context.Context, tx *store.Tx) error {
		_, err := own(ctx, tx.Client())
		return err
	}).EvenSuspended()
	return c.ID, s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error {
		_, err := s.unblock(ctx, a.Tx, c.AccountID, viewer.EmailKey)
		return err
	})
}

func (s *Service) unblockByLink(ctx context.Context, viewer *access.Viewer, invitationToken string) (id string, err error) {
	r := Reference{Token: invitationToken}
	if token.Clean(r.Token) == "" {
		return "", fault.Input(fault.InvalidValue, "Give either the token or the id of the block.", "token")
	}
	ctx = access.System(ctx, "unblock an account for an addressee")
	located, err := s.ofAddressee(ctx, viewer, r)
	if err != nil {
		return "", err
	}
	var i *ent.Invitation
	return id, s.Door.Do(ctx, answering(viewer, located, r, &i), func(ctx context.Context, a *act.Act) error {
		id, err = s.unblock(ctx, a.Tx, i.AccountID, i.EmailKey)
		return err
	})
}

func (s *Service) unblock(ctx context.Context, tx *store.Tx, accountID, key string) (id string, err error) {
	c, err := tx.CoolOff.Query().Where(rowOf(accountID, key), cooloff.BlockedAtNotNil()).Only(ctx)
	switch {
	case ent.IsNotFound(err):
	case err != nil:
		return "", fmt.Errorf("find the block of account %s: %w", accountID, err)
	default:
		id = c.ID
		if err := tx.CoolOff.UpdateOne(c).ClearBlockedAt().SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return "", fmt.Errorf("unblock account %s: %w", accountID, err)
		}
	}
	return id, s.forgive(ctx, tx, accountID, key)
}
