package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// mine and theirs mark what belongs to the two accounts of the world: the ids
// of all their rows end so.
const (
	mine   = "_A"
	theirs = "_B"
)

// world is two accounts of the same make. The viewer usr_A is a member of
// team_A with every permission but no owner; usr_plain_A may see the team
// only. usr_shared is a member of both accounts.
type world struct {
	*store.Store
	loader access.Loader
}

func eachWorld(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		catalogue, err := access.NewCatalogue()
		if err != nil {
			t.Fatal(err)
		}
		w := world{Store: open(t, address), loader: access.Loader{Catalogue: catalogue}}
		err = w.InTx(system(t), func(tx *store.Tx) error {
			b := builder{c: tx.Client(), all: catalogue.All().Keys()}
			b.user("usr_shared")
			for _, side := range []string{mine, theirs} {
				b.people(side)
				b.team(side)
				b.records(side)
			}
			for _, create := range b.rows {
				if err := create(system(t)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, w)
	})
}

// as returns a context in which the user asks.
func (w world) as(t *testing.T, userID string) context.Context {
	t.Helper()
	v, err := w.loader.Load(t.Context(), w.Read(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return access.WithViewer(t.Context(), v)
}

// anyone returns a context in which an anonymous visitor asks.
func anyone(t *testing.T) context.Context { return access.WithViewer(t.Context(), nil) }

func system(t *testing.T) context.Context { return access.System(t.Context(), "test") }

// open migrates and opens an empty database.
func open(t *testing.T, address string, options ...store.Option) *store.Store {
	t.Helper()
	if _, err := store.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// text spells a result out, with ids and loaded edges.
func text(t *testing.T, seen any) string {
	t.Helper()
	b, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// errUndo rolls a transaction back at its end.
var errUndo = errors.New("undo")

// foreignRows spells out every row of the other account.
func foreignRows(t *testing.T, c *ent.Client) (rows []string) {
	t.Helper()
	ctx := system(t)
	add := func(list any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var each []json.RawMessage
		if err := json.Unmarshal([]byte(text(t, list)), &each); err != nil {
			t.Fatal(err)
		}
		for _, row := range each {
			if strings.Contains(string(row), theirs+`"`) {
				rows = append(rows, fmt.Sprintf("%T %s", list, row))
			}
		}
	}
	add(wrap(c.Account.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.Team.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.User.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.Member.Query().Order(ent.Asc("id")).WithRoles(byID).All(ctx)))
	add(wrap(c.Role.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.Invitation.Query().Order(ent.Asc("id")).WithRoles(byID).All(ctx)))
	add(wrap(c.Group.Query().Order(ent.Asc("id")).WithRoles(byID).All(ctx)))
	add(wrap(c.Division.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.OwnershipTransfer.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.SignUp.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.Session.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.Event.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.Job.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.IdempotencyKey.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.CoolOff.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.APIKey.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.PasswordReset.Query().Order(ent.Asc("id")).All(ctx)))
	add(wrap(c.EmailChange.Query().Order(ent.Asc("id")).All(ctx)))
	return rows
}

func byID(q *ent.RoleQuery) { q.Order(ent.Asc("id")) }

func wrap[T any](rows []T, err error) (any, error) { return rows, err }

// builder collects the rows of a world, parents first.
type builder struct {
	c    *ent.Client
	all  []string
	rows []func(context.Context) error
}

func (b *builder) add(create func(context.Context) error) { b.rows = append(b.rows, create) }

func (b *builder) user(id string) {
	b.add(b.c.User.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).
		SetEmail(id + "@example.test").SetEmailKey(id + "@example.test").SetEmailVerifiedAt(noon).SetEmailProof(user.EmailProofMail).Exec)
}

// people: an owner, two members, one who left after inviting, one who left
// after accepting, an addressee, and a stranger.
func (b *builder) people(side string) {
	for _, name := range []string{"usr_owner", "usr", "usr_plain", "usr_inviter", "usr_acceptor", "usr_second", "usr_invited", "usr_unknown"} {
		b.user(name + side)
	}
}

func (b *builder) team(side string) {
	b.add(b.c.Account.Create().SetID("acc" + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetName("Account" + side).SetPreset("teams").Exec)
	for id, held := range map[string][]string{"role": b.all, "role_plain": {"team.read"}} {
		b.add(b.c.Role.Create().SetID(id + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).
			SetKey(id).SetName(id).SetPermissions(held).Exec)
	}
	b.add(b.c.Group.Create().SetID("grp" + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).
		SetName("grp" + side).AddRoleIDs("role_plain" + side).Exec)
	b.add(b.c.Division.Create().SetID("div" + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).SetName("div" + side).Exec)
	for _, id := range []string{"team", "team_second"} {
		b.add(b.c.Team.Create().SetID(id + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).
			SetName(id + side).SetIsDefault(id == "team").Exec)
	}
	b.member(side, "mem_owner", "team", "usr_owner"+side, "")
	b.member(side, "mem", "team", "usr"+side, "role")
	b.member(side, "mem_plain", "team", "usr_plain"+side, "role_plain")
	b.member(side, "mem_shared", "team", "usr_shared", "role_plain")
	b.member(side, "mem_second", "team_second", "usr_second"+side, "")
	b.add(b.c.OwnershipTransfer.Create().SetID("otr" + side).SetCreatedAt(noon).SetAccountID("acc" + side).SetTeamID("team" + side).
		SetFromID("mem_owner" + side).SetToID("mem" + side).SetExpiresAt(noon.Add(time.Hour)).Exec)
}

// member makes one; without a role it is the owner.
func (b *builder) member(side, id, team, userID, role string) {
	m := b.c.Member.Create().SetID(id + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).
		SetTeamID(team + side).SetUserID(userID).SetIsOwner(role == "")
	if role != "" {
		m.AddRoleIDs(role + side).AddGroupIDs("grp" + side).AddDivisionIDs("div" + side)
	}
	b.add(m.Exec)
}

// records: invitations, sessions, a sign-up, a password reset, an event, a
// job and a call.
func (b *builder) records(side string) {
	i := func(id string) *ent.InvitationCreate {
		return b.c.Invitation.Create().SetID(id + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).SetTeamID("team" + side).
			SetEmail(id + side + "@example.test").SetEmailKey(id + side + "@example.test").SetExpiresAt(noon.Add(time.Hour)).
			SetTokenHash([]byte(id + side)).AddRoleIDs("role" + side).AddGroupIDs("grp" + side).AddDivisionIDs("div" + side)
	}
	b.add(i("inv").SetInviterID("usr_inviter" + side).Exec)
	b.add(i("inv_shared").SetInviterID("usr_shared").Exec)
	b.add(i("inv_open").SetEmailKey("usr_invited" + side + "@example.test").SetInviterID("usr_inviter" + side).Exec)
	b.add(i("inv_accepted").SetInviterID("usr_owner" + side).SetStatus(invitation.StatusAccepted).SetAcceptedByID("usr_acceptor" + side).Exec)
	for id, userID := range map[string]string{"ses": "usr" + side, "ses_owner": "usr_owner" + side} {
		b.add(b.c.Session.Create().SetID(id + side).SetCreatedAt(noon).SetUserID(userID).
			SetTokenHash([]byte(id + side)).SetLastSeenAt(noon).SetExpiresAt(noon.Add(time.Hour)).Exec)
	}
	b.add(b.c.SignUp.Create().SetID("sup" + side).SetCreatedAt(noon).SetEmail("sup" + side).SetEmailKey("sup" + side).
		SetPasswordHash("hash").SetTokenHash([]byte("sup" + side)).SetExpiresAt(noon.Add(time.Hour)).Exec)
	b.add(b.c.Event.Create().SetID("evt" + side).SetCreatedAt(noon).SetAccountID("acc" + side).SetSeq(1).SetType("team.created").Exec)
	b.add(b.c.Job.Create().SetID("job" + side).SetCreatedAt(noon).SetAccountID("acc" + side).SetKind("mail").SetSubjectID("inv" + side).SetRunAt(noon).Exec)
	b.add(b.c.IdempotencyKey.Create().SetID("idk" + side).SetCreatedAt(noon).SetAccountID("acc" + side).SetActorID("usr" + side).
		SetKey("key").SetInputHash([]byte("input")).SetOutcome([]byte("outcome")).Exec)
	b.add(b.c.CoolOff.Create().SetID("cool" + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).
		SetAddressHash("usr" + side).SetMailboxHash("usr" + side).Exec)
	b.add(b.c.APIKey.Create().SetID("key" + side).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc" + side).SetAccountWide(true).
		SetName("key" + side).SetPermissions([]string{"team.read"}).SetSecretHash([]byte("key" + side)).SetHint("cvk").Exec)
	b.add(b.c.PasswordReset.Create().SetID("pwr" + side).SetCreatedAt(noon).SetEmailKey("usr" + side).SetUserID("usr" + side).
		SetTokenHash([]byte("pwr" + side)).SetExpiresAt(noon.Add(time.Hour)).Exec)
	b.add(b.c.EmailChange.Create().SetID("emc" + side).SetCreatedAt(noon).SetUserID("usr" + side).SetOldEmailKey("usr" + side).
		SetNewEmail("emc" + side).SetNewEmailKey("emc" + side).SetOldTokenHash([]byte("old" + side)).SetNewTokenHash([]byte("new" + side)).
		SetExpiresAt(noon.Add(time.Hour)).Exec)
}
