package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Invitation is an offer of membership to an address.
type Invitation struct{ ent.Schema }

// Mixin of Invitation.
func (Invitation) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{}, owned{}, granted{}, versioned{}}
}

// Fields of Invitation.
func (Invitation) Fields() []ent.Field {
	return []ent.Field{
		field.String("team_id").NotEmpty().Immutable(),
		field.String("email").NotEmpty().Comment("As typed. Shown, and the address of mails. Never changed but when it is forgotten."),
		field.String("email_key").NotEmpty().Comment("Normalised, for comparing."),
		field.String("first_name").Default(""),
		field.String("last_name").Default(""),
		field.String("job_title").Default(""),
		field.String("note").Default(""),
		field.Enum("status").NamedValues(
			"Pending", "PENDING", "Accepted", "ACCEPTED", "Declined", "DECLINED", "Revoked", "REVOKED", "Expired", "EXPIRED",
		).Default("PENDING").Comment("As stored. A pending one has expired from expires_at on."),
		field.String("inviter_id").Optional().Nillable().Immutable().Comment("The user who sent it."),
		field.String("inviter_key_id").Optional().Nillable().Immutable().Comment("The API key that sent it, instead of a user."),
		field.String("granter_id").Default("").Comment("The user or the API key that answers for the grant. It can be accepted only while the granter holds all of it."),
		field.Time("unconfirmed_at").Optional().Nillable().
			Comment("When it was handed over by a granter who had lost part of it. Set, it cannot be accepted until somebody confirms it."),
		field.String("sort_name").Default("").Comment("The name, folded; the address when there is no name."),
		field.String("search").Default("").Comment("Address and names, folded, for searching."),
		field.Bool("superseded").Default(false).Comment("It has expired, and a newer one was sent to the address."),
		field.Time("expires_at"),
		field.Bytes("token_hash").Unique().Sensitive().Comment("SHA-256 of the current token."),
		field.Int("token_generation").Default(1),
		field.Bool("token_mailed").Default(false).Comment("Whether the current token proves the address: it was mailed there, or the server has no mail."),
		field.Enum("delivery").NamedValues(
			"NotRequested", "NOT_REQUESTED", "Queued", "QUEUED", "Sent", "SENT", "Failed", "FAILED", "Bounced", "BOUNCED",
		).Default("NOT_REQUESTED"),
		field.Int("delivery_attempts").Default(0),
		field.String("delivery_error").Default(""),
		field.Time("delivery_updated_at").Optional().Nillable(),
		field.Time("last_sent_at").Optional().Nillable(),
		field.Int("send_count").Default(0),
		field.Time("resent_at").Optional().Nillable().Comment("The last resend, for its cooldown."),
		field.Time("resend_day_start").Optional().Nillable().Comment("When the current 24 hours of the daily limit of resends began."),
		field.Int("resends_of_day").Default(0),
		field.String("accepted_by_id").Optional().Nillable(),
		field.Time("forgotten_at").Optional().Nillable().Comment("When the address and the names were deleted; it has ended then."),
	}
}

// Edges of Invitation.
func (Invitation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("invitations").Field("team_id").Unique().Required().Immutable(),
		edge.From("inviter", User.Type).Ref("sent_invitations").Field("inviter_id").Unique().Immutable(),
		edge.From("inviter_key", APIKey.Type).Ref("sent_invitations").Field("inviter_key_id").Unique().Immutable(),
		edge.From("accepted_by", User.Type).Ref("accepted_invitations").Field("accepted_by_id").Unique(),
		edge.To("roles", Role.Type),
		edge.To("groups", Group.Type),
		edge.To("divisions", Division.Type),
	}
}

// Indexes of Invitation.
func (Invitation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("team_id", "email_key").Unique().
			StorageKey("invitation_pending_of_team_email").Annotations(entsql.IndexWhere("status = 'PENDING'")),
		index.Fields("email_key"),
		index.Fields("inviter_id"),
		index.Fields("inviter_key_id"),
		index.Fields("accepted_by_id"),
		index.Fields("expires_at").StorageKey("invitation_pending_by_expiry").Annotations(entsql.IndexWhere("status = 'PENDING'")),
		index.Fields("account_id").StorageKey("invitation_pending_of_account").Annotations(entsql.IndexWhere("status = 'PENDING'")),
		index.Fields("updated_at").StorageKey("invitation_ended_by_age").Annotations(entsql.IndexWhere("status <> 'PENDING' AND forgotten_at IS NULL")),
		index.Fields("granter_id").StorageKey("invitation_pending_of_granter").Annotations(entsql.IndexWhere("status = 'PENDING'")),
		byAge("team_id"),
		index.Fields("team_id", "status", "created_at", "id"),
		index.Fields("team_id", "email_key", "id"),
		index.Fields("team_id", "expires_at", "id"),
		listed("created_at"),
		listed("sort_name"),
		listed("email_key"),
		index.Fields("team_id", "id").StorageKey("invitation_listed").Annotations(entsql.IndexWhere(isListed)),
	}
}

// isListed is lifecycle.Listed: an invitation that may be in a list of people.
const isListed = "status IN ('PENDING', 'EXPIRED') AND NOT superseded"

// listed returns the index for a list of people in that order. It leaves out the invitations
// that are over, because their number grows with the age of the team.
func listed(column string) ent.Index {
	return index.Fields("team_id", column, "id").
		StorageKey("invitation_listed_by_" + column).Annotations(entsql.IndexWhere(isListed))
}

// CoolOff is what an account may not send to an address. It is the account's, for all its
// teams, and stays when they are deleted. It contains no address.
type CoolOff struct{ ent.Schema }

// Mixin of CoolOff.
func (CoolOff) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}} }

// Fields of CoolOff.
func (CoolOff) Fields() []ent.Field {
	return []ent.Field{
		field.String("address_hash").NotEmpty().Immutable().Comment("Hash of the normalised address."),
		field.String("mailbox_hash").NotEmpty().Immutable().Comment("Hash of the mailbox that the address reaches, whatever its tag."),
		field.Time("updated_at"),
		field.Int("declined").Default(0).Comment("How often the address declined, since declined_since."),
		field.Time("declined_since").Optional().Nillable(),
		field.Int("revoked").Default(0).Comment("How many mailed invitations were revoked, since revoked_since."),
		field.Time("revoked_since").Optional().Nillable(),
		field.Time("until").Optional().Nillable().Comment("The end of the cool-off."),
		field.Time("blocked_at").Optional().Nillable().Comment("When the addressee blocked the account, for good."),
	}
}

// Indexes of CoolOff.
func (CoolOff) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "address_hash").Unique(),
		index.Fields("account_id", "mailbox_hash"),
		index.Fields("address_hash", "created_at", "id"),
	}
}
