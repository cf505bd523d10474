package store_test

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
)

// gets, edges and projections are the ways to look that differ from table to
// table.
var gets = []read{
	{"Account Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Account.Get(ctx, "acc_B") }},
	{"Team Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Team.Get(ctx, "team_B") }},
	{"User Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.User.Get(ctx, "usr_B") }},
	{"Member Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Member.Get(ctx, "mem_B") }},
	{"Role Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Role.Get(ctx, "role_B") }},
	{"Invitation Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Invitation.Get(ctx, "inv_B") }},
	{"Session Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Session.Get(ctx, "ses_B") }},
	{"SignUp Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.SignUp.Get(ctx, "sup_B") }},
	{"Event Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Event.Get(ctx, "evt_B") }},
	{"IdempotencyKey Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.IdempotencyKey.Get(ctx, "idk_B") }},
	{"CoolOff Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.CoolOff.Get(ctx, "cool_B") }},
	{"APIKey Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.APIKey.Get(ctx, "key_B") }},
	{"PasswordReset Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.PasswordReset.Get(ctx, "pwr_B") }},
	{"EmailChange Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.EmailChange.Get(ctx, "emc_B") }},
	{"Job Get", func(ctx context.Context, c *ent.Client) (any, error) { return c.Job.Get(ctx, "job_B") }},
}

// of looks at an edge of an entity that the system has read.
func of[T any](ctx context.Context, get func(context.Context, string) (T, error), id string, look func(T) (any, error)) (any, error) {
	entity, err := get(access.System(ctx, "test"), id)
	if err != nil {
		return nil, err
	}
	return look(entity)
}

var edges = []read{
	{"eager load of members", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.User.Query().Where(user.ID("usr_shared")).WithMembers(func(q *ent.MemberQuery) {
			q.WithRoles().WithTeam(func(q *ent.TeamQuery) { q.WithAccount() })
		}).Only(ctx)
	}},
	{"eager load of invitations", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.User.Query().WithSentInvitations().WithAcceptedInvitations().WithSessions().All(ctx)
	}},
	{"eager load from the account down", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Account.Query().WithRoles(func(q *ent.RoleQuery) { q.WithMembers().WithInvitations() }).
			WithTeams(func(q *ent.TeamQuery) {
				q.WithMembers(func(q *ent.MemberQuery) { q.WithUser() }).WithInvitations(func(q *ent.InvitationQuery) { q.WithInviter().WithAcceptedBy() })
			}).All(ctx)
	}},
	{"edge from a query", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.User.Query().Where(user.ID("usr_shared")).QueryMembers().QueryTeam().QueryAccount().All(ctx)
	}},
	{"edge of a foreign team", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.Team.Get, "team_B", func(b *ent.Team) (any, error) { return b.QueryMembers().All(ctx) })
	}},
	{"edge of a shared user", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.User.Get, "usr_shared", func(u *ent.User) (any, error) { return u.QuerySentInvitations().All(ctx) })
	}},
	{"edge to sessions", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.User.Get, "usr_B", func(u *ent.User) (any, error) { return u.QuerySessions().All(ctx) })
	}},
	{"edge to roles", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.Member.Get, "mem_B", func(m *ent.Member) (any, error) { return m.QueryRoles().All(ctx) })
	}},
	{"edge to the user", func(ctx context.Context, c *ent.Client) (any, error) {
		return of(ctx, c.Member.Get, "mem_B", func(m *ent.Member) (any, error) { return m.QueryUser().Only(ctx) })
	}},
	{"edge back over a foreign node", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.Query().Where(team.ID("team_A")).QueryMembers().QueryUser().QueryMembers().QueryUser().QuerySentInvitations().All(ctx)
	}},
}

var projections = []read{
	{"Select Strings", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Member.Query().Select(member.FieldID).Strings(ctx)
	}},
	{"Select Scan", func(ctx context.Context, c *ent.Client) (any, error) {
		var rows []struct {
			ID        string `json:"id"`
			AccountID string `json:"account_id"`
		}
		err := c.Member.Query().Select(member.FieldID, member.FieldAccountID).Scan(ctx, &rows)
		return rows, err
	}},
	{"GroupBy", func(ctx context.Context, c *ent.Client) (any, error) {
		var rows []struct {
			AccountID string `json:"account_id"`
			Count     int    `json:"count"`
		}
		err := c.Role.Query().GroupBy(role.FieldAccountID).Aggregate(ent.Count()).Scan(ctx, &rows)
		return rows, err
	}},
	{"Aggregate Max", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.User.Query().Aggregate(ent.Max(user.FieldEmail)).Strings(ctx)
	}},
	{"Aggregate Count", func(ctx context.Context, c *ent.Client) (any, error) {
		n, err := c.Team.Query().Where(team.AccountID("acc_B")).Aggregate(ent.Count()).Int(ctx)
		if err != nil {
			return nil, err
		}
		return amount(n, nil)
	}},
	{"Modify", func(ctx context.Context, c *ent.Client) (any, error) {
		var rows []string
		err := c.Invitation.Query().Modify(func(s *sql.Selector) { s.Select(s.C("id")) }).Scan(ctx, &rows)
		return rows, err
	}},
	{"Modify with a condition of its own", func(ctx context.Context, c *ent.Client) (any, error) {
		q := c.Invitation.Query()
		q.Modify(func(s *sql.Selector) { s.Where(sql.Or(sql.EQ(s.C("id"), "inv_B"), sql.NotNull(s.C("id")))) })
		return q.All(ctx)
	}},
	{"a condition that is always true", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.Query().Where(team.Or(team.ID("team_B"), team.IDNEQ("team_B"))).All(ctx)
	}},
	{"Clone", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Team.Query().Where(team.AccountID("acc_B")).Clone().All(ctx)
	}},
	{"Clone of a query that ran", func(ctx context.Context, c *ent.Client) (any, error) {
		q := c.Member.Query()
		if _, err := q.All(access.System(ctx, "test")); err != nil {
			return nil, err
		}
		return q.Clone().All(ctx)
	}},
	{"order, limit and offset", func(ctx context.Context, c *ent.Client) (any, error) {
		return c.Role.Query().Order(ent.Desc(role.FieldID)).Limit(10).Offset(1).Unique(false).All(ctx)
	}},
}
