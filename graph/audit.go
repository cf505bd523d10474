package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
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
// guard, users in one statement and API keys in a few: a viewer who may read the log may know
// the names in it, also those of people who have left.
func (r *Resolver) shown(ctx context.Context, events []*ent.Event) (map[string]*model.Event, error) {
	actors, err := r.actors(ctx, events)
	if err != nil {
		return nil, err
	}
	shown := make(map[string]*model.Event, len(events))
	for _, e := range events {
		e = access.LoggedEvent(e)
		out := &model.Event{
			ID: e.ID, Cursor: event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String(), Type: model.EventType(event.Type(e.Type).Name()), At: e.CreatedAt,
			Actor: &model.SystemActor{Name: "Convoke"}, SubjectID: orNil(e.SubjectID), Summary: event.Type(e.Type).Summary(),
		}
		if who := actors[e.ActorID]; who != nil {
			out.Actor = who
		}
		shown[e.ID] = out
	}
	return shown, nil
}

// actors returns who caused the events, by id.
func (r *Resolver) actors(ctx context.Context, events []*ent.Event) (map[string]model.Actor, error) {
	var ofUsers, ofKeys []string
	for _, e := range events {
		switch {
		case e.ActorID == "":
		case access.IsKey(e.ActorID):
			ofKeys = append(ofKeys, e.ActorID)
		default:
			ofUsers = append(ofUsers, e.ActorID)
		}
	}
	all := access.System(ctx, "name the actors of a log the viewer may read")
	actors := map[string]model.Actor{}
	if len(ofUsers) > 0 {
		q := r.read(ctx).User.Query().Where(user.IDIn(ofUsers...))
		access.AsColleague(ctx)(q)
		users, err := q.All(all)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			actors[u.ID] = access.KnownUser(ctx, u)
		}
	}
	if len(ofKeys) > 0 {
		keys, err := r.read(ctx).APIKey.Query().Where(apikey.IDIn(ofKeys...)).All(all)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			actors[k.ID] = access.KnownKey(ctx, k)
		}
		// Again under the guard, with their edges, for a viewer who may see the keys.
		if keys, err = r.read(ctx).APIKey.Query().Where(apikey.IDIn(ofKeys...)).WithTeam().WithCreator(access.AsColleague(ctx)).All(ctx); err != nil {
			return nil, err
		}
		for _, k := range keys {
			actors[k.ID] = access.KnownKey(ctx, k)
		}
	}
	return actors, nil
}
