package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Account is the customer: it holds settings, limits, roles and the event log.
type Account struct{ ent.Schema }

// Mixin of Account.
func (Account) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, versioned{}} }

// Fields of Account.
func (Account) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.Enum("status").NamedValues("Active", "ACTIVE", "Suspended", "SUSPENDED").Default("ACTIVE"),
		field.String("preset").Immutable().Comment("The role preset its system roles were made from."),
		field.Int64("event_seq").Default(0).Comment("The sequence number of its newest event."),
		field.Int("invitation_ttl_hours").Default(72).Range(1, 720),
		field.Bool("count_pending_as_seats").Default(false),
		field.Bool("keep_invitations_of_removed_members").Default(false),
		field.Bool("multi_user").Default(true),
		field.Int("max_teams").Optional().Nillable(),
		field.Int("max_members_per_team").Optional().Nillable(),
		field.Int("max_pending_invitations").Optional().Nillable(),
	}
}

// Edges of Account.
func (Account) Edges() []ent.Edge {
	return []ent.Edge{edge.To("teams", Team.Type), edge.To("roles", Role.Type)}
}

// Team is a group of people inside an account, with one owner.
type Team struct{ ent.Schema }

// Mixin of Team.
func (Team) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}, versioned{}} }

// Fields of Team.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.Bool("is_default").Default(false).Immutable(),
	}
}

// Edges of Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", Account.Type).Ref("teams").Field("account_id").Unique().Required().Immutable(),
		edge.To("members", Member.Type),
		edge.To("invitations", Invitation.Type),
	}
}

// Indexes of Team.
func (Team) Indexes() []ent.Index {
	return []ent.Index{
		byAge("account_id"),
		index.Fields("account_id").Unique().StorageKey("team_default_of_account").Annotations(entsql.IndexWhere("is_default")),
	}
}

// Role is a named set of permissions of an account.
type Role struct{ ent.Schema }

// Mixin of Role.
func (Role) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}, versioned{}} }

// Fields of Role.
func (Role) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").NotEmpty().Immutable(),
		field.String("name").NotEmpty(),
		field.String("description").Default(""),
		field.JSON("permissions", []string{}),
		field.Bool("is_system").Default(false).Immutable(),
	}
}

// Edges of Role.
func (Role) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", Account.Type).Ref("roles").Field("account_id").Unique().Required().Immutable(),
		edge.From("members", Member.Type).Ref("roles"),
		edge.From("invitations", Invitation.Type).Ref("roles"),
	}
}

// Indexes of Role.
func (Role) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "key").Unique()}
}
