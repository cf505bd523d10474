// Package schema describes the tables. Rules live in the domain packages;
// what stands here is shape, and the invariants a database can hold by itself.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
)

// identified gives a table its prefixed, sortable text id. The verb that
// creates the row sets it: its events and mails name it in the same breath.
type identified struct{ mixin.Schema }

func (identified) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").NotEmpty().MaxLen(64).Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// owned marks a table whose rows belong to one account. The guard on the
// client hangs on this column.
type owned struct{ mixin.Schema }

func (owned) Fields() []ent.Field {
	return []ent.Field{field.String("account_id").NotEmpty().Immutable()}
}

// versioned counts the changes of a row, for optimistic locking by clients.
type versioned struct{ mixin.Schema }

func (versioned) Fields() []ent.Field {
	return []ent.Field{
		field.Int("version").Default(1).Positive(),
		field.Time("updated_at"),
	}
}

// granted carries what an invitation offers and a member holds directly,
// beside roles. all_permissions stays true when the catalogue grows.
type granted struct{ mixin.Schema }

func (granted) Fields() []ent.Field {
	return []ent.Field{
		field.JSON("permissions", []string{}).Default([]string{}),
		field.Bool("all_permissions").Default(false),
		field.JSON("allowed_domains", []string{}).Default([]string{}),
	}
}

// byAge is the index behind a list ordered by creation.
func byAge(parent string) ent.Index { return index.Fields(parent, "created_at", "id") }
