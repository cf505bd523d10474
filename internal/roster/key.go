package roster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

// keyHint is how many characters of the secret of an API key are kept for people.
const keyHint = len(token.APIKey) + 6

// NewKey is an API key to create, as the client sends it. With an empty TeamID it can act in
// all teams of the account, also in later ones.
type NewKey struct {
	AccountID, TeamID, Name string
	Permissions             []string
	ExpiresAt               *time.Time
	IdempotencyKey          *string
}

// IssuedKey is a new API key. Secret is stored nowhere, so it is empty when the call repeats
// an earlier one.
type IssuedKey struct{ ID, Secret string }

// CreateKey creates an API key. It belongs to the account, and works when its creator has
// left. Needs apikeys.manage account-wide. Fails like act.AccountWide, and with
//   - FORBIDDEN for an API key: a new key would outlive the end of the old one;
//   - BLANK, TOO_LONG, PERMISSION_UNKNOWN, or INVALID_VALUE for an unknown team or an expiry in
//     the past;
//   - NOT_GRANTABLE unless the viewer holds the permissions, without restrictions, in each team
//     in which the key can act, and owns the default team for a key of all teams;
//   - API_KEY_LIMIT_REACHED or IDEMPOTENCY_KEY_REUSED.
func (s *Service) CreateKey(ctx context.Context, n NewKey) (issued IssuedKey, err error) {
	if _, err := access.Person(ctx); err != nil {
		return issued, err
	}
	secret := token.Checked(token.APIKey)
	issued.ID, err = s.create(ctx, act.AccountWide(n.AccountID, access.APIKeysManage), "createApiKey", n.IdempotencyKey, n, func(ctx context.Context, a *act.Act) (string, error) {
		var wrong fault.Errors
		clean, bad := checkName(n.Name)
		wrong.Add(bad)
		permissions, bad := s.CheckPermissions(n.Permissions)
		wrong.Add(bad)
		if len(n.Permissions) == 0 {
			wrong.Add(fault.Input(fault.Blank, "Name at least one permission.", "permissions"))
		}
		now := s.Now()
		if n.ExpiresAt != nil && !n.ExpiresAt.After(now) {
			wrong.Add(fault.Input(fault.InvalidValue, "The expiry must be in the future.", "expiresAt"))
		}
		if err := wrong.Err(); err != nil {
			return "", err
		}
		if err := s.checkKeyCeiling(ctx, a, n.TeamID, permissions); err != nil {
			return "", err
		}
		live := a.Tx.APIKey.Query().Where(apikey.AccountID(a.Account.ID), access.LiveKey(now))
		if err := checkRoom(ctx, live.Count, maxKeys, fault.APIKeyLimitReached, "API keys"); err != nil {
			return "", err
		}
		c := a.Tx.APIKey.Create().
			SetID(uid.New(uid.APIKey)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(a.Account.ID).SetAccountWide(n.TeamID == "").
			SetName(clean).SetPermissions(permissions).SetSecretHash(token.Hash(secret)).SetHint(secret[:keyHint]).
			SetCreatorID(a.UserID).SetNillableExpiresAt(n.ExpiresAt)
		if n.TeamID != "" {
			c.SetTeamID(n.TeamID)
		}
		k, err := c.Save(ctx)
		if err != nil {
			return "", fmt.Errorf("create an API key: %w", err)
		}
		issued.Secret = secret
		return k.ID, a.Log(ctx, event.APIKeyCreated, "", k.ID, nil)
	})
	if err != nil {
		issued.Secret = ""
	}
	return issued, err
}

// checkKeyCeiling fails with INVALID_VALUE when the account has no such team, and with
// NOT_GRANTABLE unless the actor holds the permissions, without restrictions, in each team
// in which a key of the team can act, and owns the default team for a key of all teams.
func (s *Service) checkKeyCeiling(ctx context.Context, a *act.Act, teamID string, permissions []string) error {
	teams := a.Tx.Team.Query().Where(team.AccountID(a.Account.ID))
	switch {
	case teamID != "":
		teams.Where(team.ID(teamID))
	case !a.Actor.Owner: // anybody else may hold less in a later team
		return fault.Input(fault.NotGrantable, "Only the owner of the default team creates keys for all teams. Name a team.", "teamId")
	}
	ids, err := teams.IDs(ctx)
	if err != nil {
		return fmt.Errorf("find the teams of an API key: %w", err)
	}
	if len(ids) == 0 {
		return fault.Input(fault.InvalidValue, "The account has no such team.", "teamId")
	}
	held, err := s.Access.InAccount(ctx, a.Tx.Client(), a.Account.ID, a.UserID)
	if err != nil {
		return err
	}
	wanted := s.Access.Granted(access.Grant{Permissions: permissions})
	for _, id := range ids {
		m := held[id]
		if m == nil || !m.Active() || !m.Permissions.Covers(wanted) {
			return fault.Input(fault.NotGrantable, "You cannot grant what you do not hold yourself, in each team in which the key may act.", "permissions")
		}
		if err := checkUnrestricted(m, "permissions"); err != nil {
			return err
		}
	}
	return nil
}

// keyRule lets those who hold apikeys.manage account-wide act on an API key, whether or not
// they may see it. It fails with UNAUTHENTICATED, or with NOT_FOUND for a key of an account
// without the viewer.
func (s *Service) keyRule(ctx context.Context, id string) (r act.Rule, err error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return r, err
	}
	k, err := s.Store.Read().APIKey.Get(access.System(ctx, "find the account of an API key"), id)
	if err == nil && !v.In(k.AccountID) {
		err = &ent.NotFoundError{}
	}
	if k, err = found(k, err, "API key"); err != nil {
		return r, err
	}
	return act.AccountWide(k.AccountID, access.APIKeysManage), nil
}

// KeyChange is a change of an API key. A nil field stays as it is.
type KeyChange struct {
	KeyID           string
	Name            *string
	Permissions     []string
	ExpectedVersion *int
}

// UpdateKey renames an API key of the account, or takes permissions from it. Needs
// apikeys.manage account-wide. Fails like act.AccountWide, and with NOT_FOUND, BLANK,
// TOO_LONG, PERMISSION_UNKNOWN, NOT_GRANTABLE for a permission that the key does not hold, or
// CONFLICT, also for a key that was revoked.
func (s *Service) UpdateKey(ctx context.Context, c KeyChange) error {
	rule, err := s.keyRule(ctx, c.KeyID)
	if err != nil {
		return err
	}
	return s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error {
		k, err := a.Tx.APIKey.Query().Where(apikey.ID(c.KeyID)).Only(ctx)
		if k, err = found(k, err, "API key"); err != nil {
			return err
		}
		var wrong fault.Errors
		data := map[string]string{}
		u := a.Tx.APIKey.Update().Where(apikey.ID(k.ID), apikey.Version(k.Version), apikey.RevokedAtIsNil()).AddVersion(1).SetUpdatedAt(s.Now())
		if c.Name != nil {
			clean, bad := checkName(*c.Name)
			wrong.Add(bad)
			u.SetName(clean)
			data[event.Renamed] = event.Set
		}
		permissions, bad := s.CheckPermissions(c.Permissions)
		wrong.Add(bad)
		if c.Permissions != nil && len(c.Permissions) == 0 {
			wrong.Add(fault.Input(fault.Blank, "Name at least one permission, or revoke the key.", "permissions"))
		}
		wrong.Add(checkVersion(c.ExpectedVersion, k.Version))
		if err := wrong.Err(); err != nil {
			return err
		}
		if c.Permissions != nil {
			if !access.NewSet(k.Permissions...).Covers(access.NewSet(permissions...)) {
				return fault.Input(fault.NotGrantable, "A key cannot get more permissions. Create another one.", "permissions")
			}
			u.SetPermissions(permissions)
		}
		if err := changed(u.Save(ctx)); err != nil {
			return err
		}
		return a.Log(ctx, event.APIKeyUpdated, "", k.ID, data)
	})
}

// RevokeKey ends an API key of the account: its next request is refused, and its streams
// end. The owners of the teams answer for its open invitations from then on. Doing it twice
// is a success. Needs apikeys.manage account-wide. Fails like act.AccountWide, and with
// NOT_FOUND. It works in a suspended account too.
func (s *Service) RevokeKey(ctx context.Context, id string) error {
	rule, err := s.keyRule(ctx, id)
	if err != nil {
		return err
	}
	return s.Door.Do(ctx, rule.EvenSuspended(), func(ctx context.Context, a *act.Act) error {
		return s.endKeys(ctx, a, apikey.ID(id))
	})
}

// endKeys revokes those of the API keys that are not revoked yet.
func (s *Service) endKeys(ctx context.Context, a *act.Act, which predicate.APIKey) error {
	keys, err := a.Tx.APIKey.Query().Where(which, apikey.RevokedAtIsNil()).Order(apikey.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find API keys: %w", err)
	}
	for _, k := range keys {
		if err := s.handOverInvitations(ctx, a, k); err != nil {
			return err
		}
		now := s.Now()
		if err := a.Tx.APIKey.UpdateOne(k).SetRevokedAt(now).AddVersion(1).SetUpdatedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("revoke API key %s: %w", k.ID, err)
		}
		if err := a.Log(ctx, event.APIKeyRevoked, "", k.ID, nil); err != nil {
			return err
		}
	}
	return nil
}

// forgetKeys removes from the ended API keys of an account, and from the log, what may be
// about the person whose account it was.
func (s *Service) forgetKeys(ctx context.Context, a *act.Act) error {
	ids, err := a.Tx.APIKey.Query().Where(apikey.AccountID(a.Account.ID)).Order(apikey.ByID()).IDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := event.ForgetPerson(ctx, a.Tx, s.Store.Postgres(), id, ""); err != nil {
			return err
		}
	}
	return a.Tx.APIKey.Update().Where(apikey.IDIn(ids...)).SetName(erasedName).SetLastUsedIP("").Exec(ctx)
}

// handOverInvitations makes the owners of its teams the granters of the open invitations that
// an API key answers for. The invitations stay open, because a program often only replaces its
// key.
func (s *Service) handOverInvitations(ctx context.Context, a *act.Act, k *ent.APIKey) error {
	teams, err := a.Tx.Invitation.Query().Where(invitation.GranterID(k.ID), lifecycle.StoredPending()).
		Unique(true).Select(invitation.FieldTeamID).Strings(ctx)
	if err != nil {
		return fmt.Errorf("find the invitations of API key %s: %w", k.ID, err)
	}
	for _, teamID := range slices.Sorted(slices.Values(teams)) {
		owner, err := a.Tx.Member.Query().Where(member.TeamID(teamID), member.IsOwner(true)).Only(ctx)
		if err != nil {
			return fmt.Errorf("find the owner of %s: %w", teamID, err)
		}
		d := Departure{AccountID: a.Account.ID, TeamID: teamID, UserID: k.ID, ActorID: a.UserID, HeirID: owner.UserID}
		if err := s.Departing(ctx, a.Tx, d); err != nil {
			return err
		}
	}
	return nil
}
