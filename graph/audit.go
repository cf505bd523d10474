package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
)

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

// shown returns the events as the schema has them, by id. Their actors are read past the
// guard, in one statement: a viewer who may read the log may know the names in it, also
// those of people who have left.
func (r *Resolver) shown(ctx context.Context, events []*ent.Event) (map[string]*model.Event, error) {
	var ids []string
	for _, e := range events {
		if e.ActorID != "" {
			ids = append(ids, e.ActorID)
		}
	}
	actors := map[string]*ent.User{}
	if len(ids) > 0 {
		q := r.read(ctx).User.Query().Where(user.IDIn(ids...))
		access.AsColleague(ctx)(q)
		users, err := q.All(access.System(ctx, "name the actors of a log the viewer may read"))
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			actors[u.ID] = access.KnownUser(ctx, u)
		}
	}
	shown := make(map[string]*model.Event, len(events))
	for _, e := range events {
		e = access.LoggedEvent(e)
		out := &model.Event{
			ID: e.ID, Cursor: event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String(), Type: model.EventType(event.Type(e.Type).Name()), At: e.CreatedAt,
			Actor: &model.SystemActor{Name: "Convoke"}, SubjectID: orNil(e.SubjectID), Summary: event.Type(e.Type).Summary(),
		}
		if u := actors[e.ActorID]; u != nil {
			out.Actor = u
		}
		shown[e.ID] = out
	}
	return shown, nil
}
