package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is one person with one login, by normalised address.
type User struct{ ent.Schema }

// Mixin of User.
func (User) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, versioned{}} }

// Fields of User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").NotEmpty().Comment("As typed, for showing."),
		field.String("email_key").NotEmpty().Unique().Comment("Normalised, for comparing."),
		field.String("first_name").Default(""),
		field.String("last_name").Default(""),
		field.String("job_title").Default(""),
		field.String("password_hash").Default("").Sensitive().Comment("Argon2id in PHC form; empty = no password yet."),
		field.Time("email_verified_at").Comment("A user is created when the address is verified."),
		field.Enum("email_proof").NamedValues("Mail", "MAIL", "Trust", "TRUST").Optional().
			Comment("What showed that the address is the user's: a link that was mailed there, or nothing but trust on a server without mail. Null for users older than this column, until the next start."),
		field.Time("last_seen_at").Optional().Nillable(),
		field.String("active_team_id").Default(""),
		field.Time("erased_at").Optional().Nillable().Comment("When the person was erased. The row stays as their pseudonym in logs and invitations."),
	}
}

// Edges of User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("members", Member.Type),
		edge.To("sessions", Session.Type),
		edge.To("sent_invitations", Invitation.Type),
		edge.To("accepted_invitations", Invitation.Type),
		edge.To("created_keys", APIKey.Type),
	}
}

// SignUp is a sign-up whose address is not verified yet. An address may have several, each
// with its own password and link. The first link that is opened creates the user, and all
// sign-ups of the address are deleted.
type SignUp struct{ ent.Schema }

// Mixin of SignUp.
func (SignUp) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Fields of SignUp.
func (SignUp) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").NotEmpty().Immutable().Comment("As typed. The address of mails."),
		field.String("email_key").NotEmpty().Immutable().Comment("Normalised, for comparing."),
		field.String("first_name").Default("").Immutable(),
		field.String("last_name").Default("").Immutable(),
		field.String("account_name").Default("").Immutable(),
		field.String("password_hash").NotEmpty().Immutable().Sensitive(),
		field.Bytes("token_hash").Unique().Immutable().Sensitive().Comment("SHA-256 of the token in its link."),
		field.Time("expires_at").Immutable(),
	}
}

// Indexes of SignUp.
func (SignUp) Indexes() []ent.Index {
	return []ent.Index{byAge("email_key"), index.Fields("expires_at")}
}

// Member is a user in a team.
type Member struct{ ent.Schema }

// Mixin of Member.
func (Member) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{}, owned{}, granted{}, versioned{}}
}

// Fields of Member.
func (Member) Fields() []ent.Field {
	return []ent.Field{
		field.String("team_id").NotEmpty().Immutable(),
		field.String("user_id").NotEmpty().Immutable(),
		field.Enum("status").NamedValues("Active", "ACTIVE", "Deactivated", "DEACTIVATED").Default("ACTIVE"),
		field.Bool("is_owner").Default(false),
		// Copies of the user's values, so that the lists of a team use its own indexes.
		field.String("email_key").Default(""),
		field.String("sort_name").Default("").Comment("The name, folded; the address when there is no name."),
		field.Int64("seen_unix").Default(0).Comment("When the user was last active, in seconds since 1970; 0 = never."),
		field.String("search").Default("").Comment("Address and names, folded, for searching."),
	}
}

// Edges of Member.
func (Member) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("members").Field("team_id").Unique().Required().Immutable(),
		edge.From("user", User.Type).Ref("members").Field("user_id").Unique().Required().Immutable(),
		edge.To("roles", Role.Type),
		edge.To("groups", Group.Type),
		edge.To("divisions", Division.Type),
		edge.To("offered_transfers", OwnershipTransfer.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("received_transfers", OwnershipTransfer.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of Member.
func (Member) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("team_id", "user_id").Unique(),
		index.Fields("team_id").Unique().StorageKey("member_owner_of_team").Annotations(entsql.IndexWhere("is_owner")),
		index.Fields("user_id"),
		byAge("team_id"),
		index.Fields("team_id", "status", "created_at", "id"),
		index.Fields("team_id", "sort_name", "id"),
		index.Fields("team_id", "email_key", "id"),
		index.Fields("team_id", "seen_unix", "id"),
	}
}

// OwnershipTransfer is an owner's offer of a team's ownership to a member.
type OwnershipTransfer struct{ ent.Schema }

// Mixin of OwnershipTransfer.
func (OwnershipTransfer) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}} }

// Fields of OwnershipTransfer.
func (OwnershipTransfer) Fields() []ent.Field {
	return []ent.Field{
		field.String("team_id").NotEmpty().Immutable(),
		field.String("from_id").NotEmpty().Immutable(),
		field.String("to_id").NotEmpty().Immutable(),
		field.Enum("status").NamedValues(
			"Pending", "PENDING", "Accepted", "ACCEPTED", "Declined", "DECLINED", "Canceled", "CANCELED", "Expired", "EXPIRED",
		).Default("PENDING").Comment("As stored. A pending one has expired from expires_at on."),
		field.Time("expires_at").Immutable(),
	}
}

// Edges of OwnershipTransfer.
func (OwnershipTransfer) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("transfers").Field("team_id").Unique().Required().Immutable(),
		edge.From("from", Member.Type).Ref("offered_transfers").Field("from_id").Unique().Required().Immutable(),
		edge.From("to", Member.Type).Ref("received_transfers").Field("to_id").Unique().Required().Immutable(),
	}
}

// Indexes of OwnershipTransfer.
func (OwnershipTransfer) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("team_id").Unique().
			StorageKey("transfer_pending_of_team").Annotations(entsql.IndexWhere("status = 'PENDING'")),
		index.Fields("team_id", "created_at"),
		index.Fields("from_id"),
		index.Fields("to_id"),
	}
}

// Session is one signed-in browser or program of a user.
type Session struct{ ent.Schema }

// Mixin of Session.
func (Session) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Fields of Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").NotEmpty().Immutable(),
		field.Bytes("token_hash").Unique().Sensitive(),
		field.Time("last_seen_at"),
		field.Time("expires_at").Immutable().Comment("The latest end. A session that is not used ends earlier."),
		field.String("user_agent").Default("").Immutable(),
		field.String("client_ip").Default("").Immutable(),
	}
}

// Edges of Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("sessions").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{byAge("user_id"), index.Fields("expires_at")}
}

// PasswordReset is a link that sets a new password. A request for an address without a user
// writes a row too, so that both take equally long.
type PasswordReset struct{ ent.Schema }

// Mixin of PasswordReset.
func (PasswordReset) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Fields of PasswordReset.
func (PasswordReset) Fields() []ent.Field {
	return []ent.Field{
		field.String("email_key").NotEmpty().Immutable(),
		field.String("user_id").Default("").Immutable().Comment("Empty for an address without a user."),
		field.Bytes("token_hash").Unique().Immutable().Sensitive().Comment("SHA-256 of the token in its link."),
		field.Time("expires_at").Immutable(),
	}
}

// Indexes of PasswordReset.
func (PasswordReset) Indexes() []ent.Index {
	return []ent.Index{index.Fields("email_key"), index.Fields("expires_at")}
}

// EmailChange is a user's pending change of their address, at most one of each user. Its
// row is deleted when both addresses have confirmed it.
type EmailChange struct{ ent.Schema }

// Mixin of EmailChange.
func (EmailChange) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Fields of EmailChange.
func (EmailChange) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").NotEmpty().Unique().Immutable(),
		field.String("old_email_key").NotEmpty().Immutable().Comment("The address of the user when the change was asked for."),
		field.String("new_email").NotEmpty().Immutable().Comment("As typed."),
		field.String("new_email_key").NotEmpty().Immutable().Comment("Normalised, for comparing."),
		field.Bytes("old_token_hash").Unique().Immutable().Sensitive().Comment("SHA-256 of the token that is mailed to the old address."),
		field.Bytes("new_token_hash").Unique().Immutable().Sensitive().Comment("SHA-256 of the token that is mailed to the new address."),
		field.Bool("confirmed_by_old").Default(false),
		field.Bool("confirmed_by_new").Default(false),
		field.Time("expires_at").Immutable(),
	}
}

// Indexes of EmailChange.
func (EmailChange) Indexes() []ent.Index { return []ent.Index{index.Fields("expires_at")} }
