package access

import (
	"context"
	"errors"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/intercept"
)

// ErrNoViewer is the error of every query and mutation whose context has neither a
// viewer nor the system.
var ErrNoViewer = errors.New("access: no viewer in the context")

// Guard narrows every query of the client to what the viewer may know, and refuses
// every write outside the viewer's accounts. System passes it. The package comment says
// what it covers, and what it does not.
//
// It counts every write that may change somebody's permissions, after its commit.
func Guard(client *ent.Client, changes *Changes) {
	client.Intercept(intercept.TraverseFunc(func(ctx context.Context, q intercept.Query) error {
		v, all, err := asking(ctx)
		if err != nil || all {
			return err
		}
		q.WhereP(visible(v, q.Type()))
		return nil
	}))
	client.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			v, all, err := asking(ctx)
			if err != nil {
				return nil, err
			}
			if !all {
				if err := confine(v, m); err != nil {
					return nil, err
				}
			}
			value, err := next.Mutate(ctx, m)
			if err != nil {
				return nil, err
			}
			changes.watch(m)
			return value, nil
		})
	})
}

// asking returns the viewer of the context, nil for a visitor; all is true for the
// system, which may see everything.
func asking(ctx context.Context) (v *Viewer, all bool, err error) {
	switch who := ctx.Value(contextKey{}).(type) {
	case system:
		return nil, true, nil
	case *asker:
		return who.viewer.Load(), false, nil
	default:
		return nil, false, ErrNoViewer
	}
}

// mutation is a generated mutation that takes a condition.
type mutation interface {
	ent.Mutation
	WhereP(...func(*sql.Selector))
}

// confine keeps a write inside the viewer's accounts: a create must name one of them,
// and an update or delete gets a condition.
func confine(v *Viewer, m ent.Mutation) error {
	guarded, ok := m.(mutation)
	if !ok || v == nil {
		return fmt.Errorf("access: %s of %s refused", m.Op(), m.Type())
	}
	switch m.Type() {
	case ent.TypeTeam, ent.TypeRole, ent.TypeMember, ent.TypeInvitation, ent.TypeGroup, ent.TypeDivision, ent.TypeOwnershipTransfer:
	default:
		return fmt.Errorf("access: %s of %s is the system's", m.Op(), m.Type())
	}
	accounts := v.accounts()
	if m.Op().Is(ent.OpCreate) {
		id, _ := m.Field("account_id")
		if accountID, ok := id.(string); !ok || !accounts.has(accountID) {
			return fmt.Errorf("access: %s in a foreign account refused", m.Type())
		}
		return nil
	}
	// ent ignores the condition of an update by id that sets no column.
	if m.Op().Is(ent.OpUpdateOne) && len(m.Fields())+len(m.AddedFields())+len(m.ClearedFields()) == 0 {
		return fmt.Errorf("access: update of a %s that sets no column refused: count its version up", m.Type())
	}
	guarded.WhereP(in("account_id", accounts))
	return nil
}
