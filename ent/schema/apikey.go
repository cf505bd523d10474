package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// APIKey is a credential of a program. It belongs to the account, and not to the person
// who created it. A row stays when the key has ended, because logs and invitations name it.
type APIKey struct{ ent.Schema }

// Mixin of APIKey.
func (APIKey) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}, versioned{}} }

// Fields of APIKey.
func (APIKey) Fields() []ent.Field {
	return []ent.Field{
		field.Bool("account_wide").Immutable().Comment("Whether it can act in all teams of the account."),
		field.String("team_id").Optional().Nillable().Comment("The one team in which it can act, unless it is account-wide or the team was deleted."),
		field.String("name").NotEmpty(),
		field.JSON("permissions", []string{}),
		field.Bytes("secret_hash").Unique().Immutable().Sensitive().Comment("SHA-256 of the secret."),
		field.String("hint").Immutable().Comment("The first characters of the secret, by which people tell keys apart."),
		field.String("creator_id").Optional().Nillable().Immutable().Comment("The user who created it."),
		field.Time("expires_at").Optional().Nillable().Immutable().Comment("Empty = never."),
		field.Time("revoked_at").Optional().Nillable(),
		field.Time("last_used_at").Optional().Nillable(),
		field.String("last_used_ip").Default(""),
	}
}

// Edges of APIKey.
func (APIKey) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", Account.Type).Ref("api_keys").Field("account_id").Unique().Required().Immutable(),
		edge.From("team", Team.Type).Ref("api_keys").Field("team_id").Unique(),
		edge.From("creator", User.Type).Ref("created_keys").Field("creator_id").Unique().Immutable(),
		edge.To("sent_invitations", Invitation.Type),
	}
}

// Indexes of APIKey.
func (APIKey) Indexes() []ent.Index {
	return []ent.Index{
		byAge("account_id"),
		index.Fields("team_id"),
	}
}
