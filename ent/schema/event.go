package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Event is one line of an account's event log. Rows are never changed or deleted; a
// trigger in the migrations enforces it.
type Event struct{ ent.Schema }

// Mixin of Event.
func (Event) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}} }

// Fields of Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("seq").Positive().Immutable().Comment("The number in the account's log: 1, 2, 3, without gaps."),
		field.String("type").NotEmpty().Immutable(),
		field.String("actor_id").Default("").Immutable().Comment("The id of a user or of an API key; empty = the system."),
		field.String("team_id").Default("").Immutable(),
		field.String("subject_id").Default("").Immutable(),
		field.JSON("data", map[string]string{}).Default(map[string]string{}).Immutable(),
		field.String("request_id").Default("").Immutable(),
		field.String("client_ip").Default("").Immutable(),
		field.String("user_agent").Default("").Immutable(),
	}
}

// Indexes of Event.
func (Event) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "seq").Unique(),
		index.Fields("subject_id", "seq"),
	}
}

// Job is one row of the outbox: a mail to send. The transaction that requests the mail
// writes it. It contains no secret.
type Job struct{ ent.Schema }

// Mixin of Job.
func (Job) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Fields of Job.
func (Job) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").NotEmpty().Immutable(),
		field.String("account_id").Default("").Immutable().Comment("The account whose event log gets the result; empty = none."),
		field.String("subject_id").NotEmpty().Immutable(),
		field.Int("generation").Default(0).Immutable().Comment("Generation of the token in the mail. A mail with an older one is not sent."),
		field.Int("attempts").Default(0),
		field.Time("run_at"),
		field.Time("leased_until").Optional().Nillable(),
		field.String("last_error").Default(""),
		field.Time("dead_at").Optional().Nillable().Comment("When it was given up."),
	}
}

// Indexes of Job.
func (Job) Indexes() []ent.Index {
	return []ent.Index{index.Fields("dead_at", "run_at"), index.Fields("subject_id")}
}

// IdempotencyKey stores the result of a call, so that the same call returns it again and
// has no further effect. It contains no secret.
type IdempotencyKey struct{ ent.Schema }

// Mixin of IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin { return []ent.Mixin{identified{}, owned{}} }

// Fields of IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("actor_id").NotEmpty().Immutable().Comment("The user or the API key that called. Each has keys of its own."),
		field.String("key").NotEmpty().Immutable(),
		field.Bytes("input_hash").Immutable().Comment("SHA-256 of the call and its input."),
		field.Bytes("outcome").Immutable().Comment("The result, as JSON."),
	}
}

// Indexes of IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "actor_id", "key").Unique(), index.Fields("created_at")}
}
