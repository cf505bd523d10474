// Package schema describes the tables: their shape, and the invariants that a database can
// enforce. Rules are in the domain packages.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
)

// identified gives a table its prefixed, sortable text id. The verb that creates the row
// sets the id, because the events and mails of the same transaction contain it.
type identified struct{ mixin.Schema }

func (identified) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").NotEmpty().MaxLen(64).Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// owned marks a table whose rows belong to one account. The guard on the ent client needs
// this column.
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

// granted holds what an invitation grants, or a member holds directly, in addition to
// roles. all_permissions includes permissions that are added to the catalogue later.
type granted struct{ mixin.Schema }

func (granted) Fields() []ent.Field {
	return []ent.Field{
		field.JSON("permissions", []string{}).Default([]string{}),
		field.Bool("all_permissions").Default(false),
		field.JSON("allowed_domains", []string{}).Default([]string{}),
	}
}

// byAge returns the index for a list in order of creation.
func byAge(parent string) ent.Index { return index.Fields(parent, "created_at", "id") }
