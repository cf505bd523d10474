package store_test

import (
	"context"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
)

// read is one way to look at the database.
type read struct {
	way  string
	look func(ctx context.Context, c *ent.Client) (any, error)
}

// query is what ent's generated queries have in common.
type query[Q, T any, P ~func(*sql.Selector)] interface {
	Where(...P) Q
	All(context.Context) ([]T, error)
	First(context.Context) (T, error)
	Only(context.Context) (T, error)
	IDs(context.Context) ([]string, error)
	Count(context.Context) (int, error)
	Exist(context.Context) (bool, error)
}

// reads lists the ways to look at one table. Each sees rows of the viewer's
// own, or nothing, where the row asked for is foreign.
func reads[Q query[Q, T, P], T any, P ~func(*sql.Selector)](name, id string, q func(*ent.Client) Q) []read {
	foreign := func(c *ent.Client) Q {
		return q(c).Where(func(s *sql.Selector) { s.Where(sql.EQ(s.C("id"), id+theirs)) })
	}
	return []read{
		{name + " All", func(ctx context.Context, c *ent.Client) (any, error) { return q(c).All(ctx) }},
		{name + " All where", func(ctx context.Context, c *ent.Client) (any, error) { return foreign(c).All(ctx) }},
		{name + " First", func(ctx context.Context, c *ent.Client) (any, error) { return foreign(c).First(ctx) }},
		{name + " Only", func(ctx context.Context, c *ent.Client) (any, error) { return foreign(c).Only(ctx) }},
		{name + " IDs", func(ctx context.Context, c *ent.Client) (any, error) { return q(c).IDs(ctx) }},
		{name + " Count", func(ctx context.Context, c *ent.Client) (any, error) { return amount(foreign(c).Count(ctx)) }},
		{name + " Exist", func(ctx context.Context, c *ent.Client) (any, error) {
			found, err := foreign(c).Exist(ctx)
			if found {
				return "there is one of " + theirs, err
			}
			return nil, err
		}},
	}
}

// amount turns a number of foreign rows into something that must not be seen.
func amount(n int, err error) (any, error) {
	if n > 0 {
		return strings.Repeat(theirs, n), err
	}
	return nil, err
}

func tables() (all []read) {
	all = append(all, reads("Account", "acc", func(c *ent.Client) *ent.AccountQuery { return c.Account.Query() })...)
	all = append(all, reads("Team", "team", func(c *ent.Client) *ent.TeamQuery { return c.Team.Query() })...)
	all = append(all, reads("User", "usr", func(c *ent.Client) *ent.UserQuery { return c.User.Query() })...)
	all = append(all, reads("Member", "mem", func(c *ent.Client) *ent.MemberQuery { return c.Member.Query() })...)
	all = append(all, reads("Role", "role", func(c *ent.Client) *ent.RoleQuery { return c.Role.Query() })...)
	all = append(all, reads("Group", "grp", func(c *ent.Client) *ent.GroupQuery { return c.Group.Query() })...)
	all = append(all, reads("Division", "div", func(c *ent.Client) *ent.DivisionQuery { return c.Division.Query() })...)
	all = append(all, reads("OwnershipTransfer", "otr", func(c *ent.Client) *ent.OwnershipTransferQuery { return c.OwnershipTransfer.Query() })...)
	all = append(all, reads("Invitation", "inv", func(c *ent.Client) *ent.InvitationQuery { return c.Invitation.Query() })...)
	all = append(all, reads("Session", "ses", func(c *ent.Client) *ent.SessionQuery { return c.Session.Query() })...)
	all = append(all, reads("SignUp", "sup", func(c *ent.Client) *ent.SignUpQuery { return c.SignUp.Query() })...)
	all = append(all, reads("Event", "evt", func(c *ent.Client) *ent.EventQuery { return c.Event.Query() })...)
	all = append(all, reads("Job", "job", func(c *ent.Client) *ent.JobQuery { return c.Job.Query() })...)
	all = append(all, reads("IdempotencyKey", "idk", func(c *ent.Client) *ent.IdempotencyKeyQuery { return c.IdempotencyKey.Query() })...)
	all = append(all, reads("CoolOff", "cool", func(c *ent.Client) *ent.CoolOffQuery { return c.CoolOff.Query() })...)
	all = append(all, reads("APIKey", "key", func(c *ent.Client) *ent.APIKeyQuery { return c.APIKey.Query() })...)
	all = append(all, reads("PasswordReset", "pwr", func(c *ent.Client) *ent.PasswordResetQuery { return c.PasswordReset.Query() })...)
	all = append(all, reads("EmailChange", "emc", func(c *ent.Client) *ent.EmailChangeQuery { return c.EmailChange.Query() })...)
	return all
}
