package store_test

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
)

// write is one way to change the database. What it returns is what the
// writer learned of rows.
type write struct {
	way string
	do  func(ctx context.Context, c *ent.Client) (any, error)
}

// executed is for writes that tell nothing.
func executed(err error) (any, error) { return nil, err }

var updates = []write{
	{"update by id", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Member.UpdateOneID("mem_B").SetIsOwner(false).AddVersion(1).Save(ctx)
	}},
	{"update by id with a modifier", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.UpdateOneID("team_B").SetName("taken").Modify(func(u *sql.UpdateBuilder) { u.Set("version", 7) }).Save(ctx)
	}},
	{"update by id with a modifier only", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.UpdateOneID("team_B").Modify(func(u *sql.UpdateBuilder) { u.Set("name", "taken") }).Save(ctx)
	}},
	{"update by id of nothing", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.UpdateOneID("team_B").Save(ctx)
	}},
	{"update by id of edges and version", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Member.UpdateOneID("mem_B").AddVersion(1).ClearRoles().Save(ctx)
	}},
	{"update by id of edges only", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Member.UpdateOneID("mem_B").ClearRoles().Save(ctx)
	}},
	{"update by id, selecting", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Role.UpdateOneID("role_B").SetName("taken").Select(role.FieldID, role.FieldPermissions).Save(ctx)
	}},
	{"update in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		n, err := c.Team.Update().Where(team.AccountID("acc_B")).SetName("taken").Save(ctx)
		if err != nil {
			return nil, err
		}
		return amount(n, nil)
	}},
	{"update of everything in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.Invitation.Update().SetNote("taken").AddVersion(1).Exec(ctx))
	}},
	{"update in bulk with a modifier only", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.Team.Update().Modify(func(u *sql.UpdateBuilder) { u.Set("name", "taken") }).Exec(ctx))
	}},
	{"update in bulk with a condition that is always true", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.Role.Update().Where(role.Or(role.ID("role_B"), role.IDNEQ("role_B"))).SetName("taken").Exec(ctx))
	}},
	{"update of edges in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.Member.Update().Where(member.ID("mem_B")).ClearRoles().Exec(ctx))
	}},
	{"update of a struct the system read", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.Invitation.Get, "inv_B", func(i *ent.Invitation) (any, error) {
			return c.Invitation.UpdateOne(i).SetStatus(invitation.StatusRevoked).AddVersion(1).Save(ctx)
		})
	}},
	{"update through a struct the system read", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.Member.Get, "mem_B", func(m *ent.Member) (any, error) { return m.Update().SetAllPermissions(true).Save(ctx) })
	}},
	{"mutation given to the client", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Mutate(ctx, c.Team.UpdateOneID("team_B").SetName("taken").Mutation())
	}},
}

var deletes = []write{
	{"delete by id", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.Invitation.DeleteOneID("inv_B").Exec(ctx))
	}},
	{"delete of a struct the system read", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.Member.Get, "mem_B", func(m *ent.Member) (any, error) { return executed(c.Member.DeleteOne(m).Exec(ctx)) })
	}},
	{"delete in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		n, err := c.Member.Delete().Where(member.AccountID("acc_B")).Exec(ctx)
		if err != nil {
			return nil, err
		}
		return amount(n, nil)
	}},
	{"delete of everything in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.Invitation.Delete().Exec(ctx)))
	}},
}

func ignoreCount(_ int, err error) error { return err }

var creates = []write{
	{"create of a team", func(ctx context.Context, c *ent.Client) (any, error) {
		return newTeam(c, "acc_B", "team_new_B").Save(ctx)
	}},
	{"create of a role", func(ctx context.Context, c *ent.Client) (any, error) {
		return newRole(c, "acc_B", "role_new_B").Save(ctx)
	}},
	{"create of a member", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Member.Create().SetID("mem_new_B").SetCreatedAt(noon).SetUpdatedAt(noon).
			SetAccountID("acc_B").SetTeamID("team_B").SetUserID("usr_A").Save(ctx)
	}},
	{"create of an invitation", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Invitation.Create().SetID("inv_new_B").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc_B").SetTeamID("team_B").
			SetEmail("new").SetEmailKey("new").SetExpiresAt(noon).SetTokenHash([]byte("new")).Save(ctx)
	}},
	{"create in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Role.CreateBulk(newRole(c, "acc_A", "role_new_A"), newRole(c, "acc_B", "role_new_B")).Save(ctx)
	}},
	{"create in bulk of the foreign first", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Role.CreateBulk(newRole(c, "acc_B", "role_new_B"), newRole(c, "acc_A", "role_new_A")).Save(ctx)
	}},
	{"create in bulk from a slice", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.MapCreateBulk([]string{"acc_A", "acc_B"}, func(t *ent.TeamCreate, i int) {
			*t = *newTeam(c, []string{"acc_A", "acc_B"}[i], []string{"team_new_A", "team_new_B"}[i])
		}).Save(ctx)
	}},
}

func newTeam(c *ent.Client, accountID, id string) *ent.TeamCreate {
	return c.Team.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID(accountID).SetName(id)
}

func newRole(c *ent.Client, accountID, id string) *ent.RoleCreate {
	return c.Role.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).
		SetAccountID(accountID).SetKey(id).SetName(id).SetPermissions([]string{})
}

// systemOnly is writes to tables that no viewer writes to, their own rows
// neither.
var systemOnly = []write{
	{"account", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Account.UpdateOneID("acc_A").SetMaxTeams(99).AddVersion(1).Save(ctx)
	}},
	{"new account", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Account.Create().SetID("acc_new").SetCreatedAt(noon).SetUpdatedAt(noon).SetName("new").SetPreset("teams").Save(ctx)
	}},
	{"user", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.User.UpdateOneID("usr_A").SetPasswordHash("taken").AddVersion(1).Save(ctx)
	}},
	{"users in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.User.Update().SetPasswordHash("taken").Exec(ctx))
	}},
	{"session", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(c.Session.DeleteOneID("ses_A").Exec(ctx))
	}},
	{"new session", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Session.Create().SetID("ses_new").SetCreatedAt(noon).SetUserID("usr_owner_A").
			SetTokenHash([]byte("new")).SetLastSeenAt(noon).SetExpiresAt(noon).Save(ctx)
	}},
	{"sign-ups in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.SignUp.Delete().Exec(ctx)))
	}},
	{"new sign-up", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.SignUp.Create().SetID("sup_new").SetCreatedAt(noon).SetEmail("new").SetEmailKey("new").
			SetPasswordHash("hash").SetTokenHash([]byte("new")).SetExpiresAt(noon).Save(ctx)
	}},
	{"new event", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Event.Create().SetID("evt_new").SetCreatedAt(noon).SetAccountID("acc_A").SetSeq(2).SetType("forged").Save(ctx)
	}},
	{"new job", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Job.Create().SetID("job_new").SetCreatedAt(noon).SetAccountID("acc_A").SetKind("mail").SetSubjectID("inv_A").SetRunAt(noon).Save(ctx)
	}},
	{"new password reset", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.PasswordReset.Create().SetID("pwr_new").SetCreatedAt(noon).SetEmailKey("usr_A").SetUserID("usr_A").
			SetTokenHash([]byte("new")).SetExpiresAt(noon).Save(ctx)
	}},
	{"password resets in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.PasswordReset.Delete().Exec(ctx)))
	}},
	{"new change of address", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.EmailChange.Create().SetID("emc_new").SetCreatedAt(noon).SetUserID("usr_A").SetOldEmailKey("usr_A").SetNewEmail("new").
			SetNewEmailKey("new").SetOldTokenHash([]byte("old")).SetNewTokenHash([]byte("new")).SetExpiresAt(noon).Save(ctx)
	}},
	{"changes of address in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.EmailChange.Delete().Exec(ctx)))
	}},
	{"new idempotency key", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.IdempotencyKey.Create().SetID("idk_new").SetCreatedAt(noon).SetAccountID("acc_A").SetActorID("usr_A").
			SetKey("new").SetInputHash([]byte("input")).SetOutcome([]byte("forged")).Save(ctx)
	}},
	{"idempotency keys in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.IdempotencyKey.Delete().Exec(ctx)))
	}},
	{"new cool-off", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.CoolOff.Create().SetID("cool_new").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc_A").
			SetAddressHash("new").SetMailboxHash("new").Save(ctx)
	}},
	{"cool-offs in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.CoolOff.Delete().Exec(ctx)))
	}},
	{"new API key", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.APIKey.Create().SetID("key_new").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc_A").SetAccountWide(true).
			SetName("new").SetPermissions([]string{"team.read"}).SetSecretHash([]byte("new")).SetHint("cvk").Save(ctx)
	}},
	{"API keys in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.APIKey.Delete().Exec(ctx)))
	}},
	{"jobs in bulk", func(ctx context.Context, c *ent.Client) (any, error) {
		return executed(ignoreCount(c.Job.Delete().Exec(ctx)))
	}},
}
