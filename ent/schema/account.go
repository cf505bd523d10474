package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Account is a customer. It has settings, limits, roles and an event log.
type Account struct{ ent.Schema }

// Mixin of Account.
func (Account) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, versioned{}} }

// Fields of Account.
func (Account) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.Enum("status").NamedValues("Active", "ACTIVE", "Suspended", "SUSPENDED").Default("ACTIVE"),
		field.String("preset").Immutable().Comment("The preset that its system roles come from."),
		field.Int64("event_seq").Default(0).Comment("The number of its newest event."),
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
	return []ent.Edge{
		edge.To("teams", Team.Type),
		edge.To("roles", Role.Type),
		edge.To("groups", Group.Type),
		edge.To("divisions", Division.Type),
		edge.To("api_keys", APIKey.Type),
	}
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
		// The verbs update these counters under the account's lock, so that a page does
		// not have to count a whole team.
		field.Int("active_members").Default(0),
		field.Int("deactivated_members").Default(0),
		field.Int("pending_invitations").Default(0).Comment("As stored: includes expired ones until the sweep."),
		field.Int("expired_invitations").Default(0).Comment("Excludes superseded ones."),
		field.Int("all_invitations").Default(0),
	}
}

// Edges of Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", Account.Type).Ref("teams").Field("account_id").Unique().Required().Immutable(),
		edge.To("members", Member.Type),
		edge.To("invitations", Invitation.Type),
		edge.To("transfers", OwnershipTransfer.Type),
		edge.To("api_keys", APIKey.Type).Annotations(entsql.OnDelete(entsql.SetNull)),
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
		edge.From("groups", Group.Type).Ref("roles"),
	}
}

// Indexes of Role.
func (Role) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "key").Unique()}
}

// Group is a set of people in an account who share roles.
type Group struct{ ent.Schema }

// Mixin of Group.
func (Group) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}, versioned{}} }

// Fields of Group.
func (Group) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.String("description").Default(""),
	}
}

// Edges of Group.
func (Group) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", Account.Type).Ref("groups").Field("account_id").Unique().Required().Immutable(),
		edge.To("roles", Role.Type),
		edge.From("members", Member.Type).Ref("groups"),
		edge.From("invitations", Invitation.Type).Ref("groups"),
	}
}

// Indexes of Group.
func (Group) Indexes() []ent.Index { return []ent.Index{byAge("account_id")} }

// Division is a business unit, a container or a sub-account: a node of the
// account's tree.
type Division struct{ ent.Schema }

// Mixin of Division.
func (Division) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}, versioned{}} }

// Fields of Division.
func (Division) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.String("parent_id").Optional().Nillable().Comment("Empty = at the top of the tree."),
	}
}

// Edges of Division.
func (Division) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", Account.Type).Ref("divisions").Field("account_id").Unique().Required().Immutable(),
		edge.To("children", Division.Type).From("parent").Field("parent_id").Unique(),
		edge.From("members", Member.Type).Ref("divisions"),
		edge.From("invitations", Invitation.Type).Ref("divisions"),
	}
}

// Indexes of Division.
func (Division) Indexes() []ent.Index {
	return []ent.Index{byAge("account_id"), index.Fields("parent_id")}
}
