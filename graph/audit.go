package graph

import (
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
)

var eventsByNumber = relay.Order[*ent.Event]{
	Name: "events.seq", Column: entevent.FieldSeq, Kind: relay.Number, Descending: true,
	Position: func(e *ent.Event) (any, string) { return e.Seq, e.ID },
}

// auditLog reads a page of the account's log.
func (r *Resolver) auditLog(ctx context.Context, acc *ent.Account, args relay.Args, f *model.EventFilter) (*relay.Connection[*model.Event], error) {
	q := r.read(ctx).Event.Query().Where(entevent.AccountID(acc.ID)).Where(eventFilter(f)...)
	page, err := relay.Page(ctx, q, args, eventsByNumber)
	return r.shownPage(ctx, page, err)
}

// timeline reads a page of what happened to an invitation. Who manages the
// invitation may read it, without the right to read the whole log; who is only
// its addressee may not.
func (r *Resolver) timeline(ctx context.Context, i *ent.Invitation, args relay.Args) (*relay.Connection[*model.Event], error) {
	if !viewerCanAny(ctx, i.TeamID, access.MembersRead, access.MembersInvite) {
		_, err := access.Require(ctx, r.read(ctx), i.TeamID, access.MembersRead)
		return nil, err
	}
	q := r.read(ctx).Event.Query().Where(entevent.SubjectID(i.ID))
	page, err := relay.Page(access.System(ctx, "read the timeline of an invitation the viewer manages"), q, args, eventsByNumber.In(false))
	return r.shownPage(ctx, page, err)
}

func (r *Resolver) shownPage(ctx context.Context, page *relay.Connection[*ent.Event], err error) (*relay.Connection[*model.Event], error) {
	if err != nil {
		return nil, err
	}
	shown, err := r.shown(ctx, page.Nodes())
	if err != nil {
		return nil, err
	}
	return relay.Map(page, func(e *ent.Event) *model.Event { return shown[e.ID] }), nil
}

func eventFilter(f *model.EventFilter) (conditions []predicate.Event) {
	if f == nil {
		return nil
	}
	if len(f.Types) > 0 {
		types := make([]predicate.Event, len(f.Types))
		for i, t := range f.Types {
			if kind, all := strings.CutSuffix(t, "*"); all {
				types[i] = entevent.TypeHasPrefix(kind)
			} else {
				types[i] = entevent.Type(t)
			}
		}
		conditions = append(conditions, entevent.Or(types...))
	}
	if f.ActorID != nil {
		conditions = append(conditions, entevent.ActorID(*f.ActorID))
	}
	if f.SubjectID != nil {
		conditions = append(conditions, entevent.SubjectID(*f.SubjectID))
	}
	if f.From != nil {
		conditions = append(conditions, entevent.CreatedAtGTE(*f.From))
	}
	if f.To != nil {
		conditions = append(conditions, entevent.CreatedAtLT(*f.To))
	}
	return conditions
}

func userIDs(users []*ent.User) []string {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// shown turns events into what a client sees of them, by id. Who did them is
// read for all of them at once, past the guard: who may read the log may know
// whose deeds stand in it, members still or not.
func (r *Resolver) shown(ctx context.Context, events []*ent.Event) (map[string]*model.Event, error) {
	var ids []any
	for _, e := range events {
		if e.ActorID != "" {
			ids = append(ids, e.ActorID)
		}
	}
	actors := map[string]*ent.User{}
	if len(ids) > 0 {
		users, err := r.read(ctx).User.Query().
			Where(func(s *sql.Selector) { s.Where(sql.In(s.C(user.FieldID), ids...)) }).
			All(access.System(ctx, "name the actors of a log the viewer may read"))
		if err != nil {
			return nil, err
		}
		colleagues, err := r.read(ctx).User.Query().Where(user.IDIn(userIDs(users)...), access.Colleagues(ctx)).IDs(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if !slices.Contains(colleagues, u.ID) {
				u = formerly(u)
			}
			actors[u.ID] = u
		}
	}
	shown := make(map[string]*model.Event, len(events))
	for _, e := range events {
		out := &model.Event{
			ID: e.ID, Cursor: event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String(), Type: e.Type, At: e.CreatedAt,
			Actor: &model.SystemActor{Name: "Convoke"}, SubjectID: orNil(e.SubjectID), Summary: event.Type(e.Type).Summary(),
		}
		if u := actors[e.ActorID]; u != nil {
			out.Actor = u
		}
		shown[e.ID] = out
	}
	return shown, nil
}
