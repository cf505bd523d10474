package access

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/fault"
)

// IsKey reports whether an id by which somebody acts is that of an API key (uid.APIKey).
func IsKey(id string) bool { return strings.HasPrefix(id, "key_") }

// LiveKey is the condition that an API key has neither expired nor been revoked.
func LiveKey(now time.Time) predicate.APIKey {
	return apikey.And(apikey.RevokedAtIsNil(), apikey.Or(apikey.ExpiresAtIsNil(), apikey.ExpiresAtGT(now)))
}

// LoadKeys returns the keys, which are loaded already, as viewers. However many they are, it
// costs one statement.
func (l Loader) LoadKeys(ctx context.Context, client *ent.Client, keys []*ent.APIKey) ([]*Viewer, error) {
	found, err := l.inTeams(ctx, client, keys)
	if err != nil {
		return nil, err
	}
	of := make(map[string]map[string]*Membership, len(keys))
	for _, m := range found {
		if of[m.UserID] == nil {
			of[m.UserID] = map[string]*Membership{}
		}
		of[m.UserID][m.TeamID] = m
	}
	viewers := make([]*Viewer, len(keys))
	for i, k := range keys {
		viewers[i] = &Viewer{UserID: k.ID, SessionID: k.ID, Unproven: true, memberships: of[k.ID]}
	}
	return viewers, nil
}

// ErrKeyEnded is the error for an API key that does not exist, was revoked or has expired.
var ErrKeyEnded = fault.Refuse(fault.Unauthenticated, "There is no such API key, or it has ended.")

// checkKey fails with ErrKeyEnded when the key has ended.
func (l Loader) checkKey(ctx context.Context, client *ent.Client, id string) error {
	alive, err := client.APIKey.Query().Where(apikey.ID(id), LiveKey(l.Now())).Exist(System(ctx, "look whether an API key has ended"))
	if err == nil && !alive {
		err = ErrKeyEnded
	}
	return err
}

// ofKeys loads what the live ones of the keys are in the teams that the conditions pick.
func (l Loader) ofKeys(ctx context.Context, client *ent.Client, ids []string, teams ...predicate.Team) ([]*Membership, error) {
	ctx = System(ctx, "load API keys")
	keys, err := client.APIKey.Query().Where(apikey.IDIn(ids...), LiveKey(l.Now())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load API keys: %w", err)
	}
	return l.inTeams(ctx, client, keys, teams...)
}

// inTeams returns what the keys are in the teams that the conditions pick: in their one team,
// or in all teams of their account.
func (l Loader) inTeams(ctx context.Context, client *ent.Client, keys []*ent.APIKey, teams ...predicate.Team) (found []*Membership, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ctx = System(ctx, "load the teams of API keys")
	var accounts, ids []string
	for _, k := range keys {
		switch {
		case k.AccountWide:
			accounts = append(accounts, k.AccountID)
		case k.TeamID != nil:
			ids = append(ids, *k.TeamID)
		}
	}
	inAccounts, theirs := newIDSet(accounts), newIDSet(ids)
	q := client.Team.Query().Where(teams...).Order(team.ByID()).Where(func(s *sql.Selector) {
		s.Where(sql.Or(isIn(s.C(team.FieldAccountID), inAccounts), isIn(s.C(team.FieldID), theirs)))
	})
	q.Modify(func(s *sql.Selector) {
		a := sql.Table(account.Table)
		s.Join(a).On(s.C(team.FieldAccountID), a.C(account.FieldID))
		s.AppendSelectAs(a.C(account.FieldStatus), accountStatus)
	})
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the teams of API keys: %w", err)
	}
	for _, k := range keys {
		held := l.Granted(Grant{Permissions: k.Permissions})
		for _, t := range rows {
			if t.AccountID != k.AccountID || !k.AccountWide && (k.TeamID == nil || *k.TeamID != t.ID) {
				continue
			}
			found = append(found, &Membership{
				ID: t.ID, UserID: k.ID, TeamID: t.ID, AccountID: t.AccountID, DefaultTeam: t.IsDefault,
				Permissions: held, active: true, suspended: asText(t.Value(accountStatus)) != string(account.StatusActive),
				sources: []source{{kind: Directly, holds: held}}, oneTeam: !k.AccountWide,
			})
		}
	}
	return found, nil
}
