// Package stream answers the subscriptions of a GraphQL schema from the items of a
// live.Source. It knows gqlgen, and no rules: who may see an item is decided in
// internal/live, what an item looks like in package graph.
//
// gqlgen runs a subscription in two goroutines that wait on a channel. Here nothing waits.
// A subscription is a value, the subscriber, that its transport asks for responses:
//
//	transport            subscriber             source             gqlgen
//	    │ respond ───────────▶│ Next ──────────────▶│                  │
//	    │                     │◀────── nothing yet ─│                  │
//	    │◀──────────── Later ─│                     │                  │
//	    ⋮                                           ⋮  an event comes  │
//	    │◀──────────────────────────── Client.Wake ─│                  │
//	    │ respond ───────────▶│ Next ──────────────▶│                  │
//	    │                     │◀─────────────── item│                  │
//	    │                     │ execute the document for the item ────▶│
//	    │◀───────── response ─│◀───────────────────────────── response │
//
// The document is executed once to open the source and once for each item. In the first
// execution the resolver opens the source; in each further one it shows the item that the
// context carries: Resolve is the body of every such resolver.
//
// # Shared results
//
// Subscribers whose documents and variables are equal, and that select only fields that
// look the same to everybody (Streams.Shared), join a topic. The first of them that gets to
// an event makes the result, the others wait for it without a goroutine. A result is
// shared for two seconds. A result with errors is not shared: each subscriber makes its own. One
// that took too long fails for all of them, and nobody tries again.
//
// # Turns
//
// An execution for an item needs a turn (Streams.Turn), so that the subscriptions of one user
// do not occupy the server after each event. A subscriber without one responds Later, and is
// woken when its turn comes. It is never refused. A result that exists already needs no turn.
//
// # States of a subscriber
//
//	          item                    response
//	waiting ────────▶ showing ─────────────────────▶ waiting
//	   │                 │  ▲
//	   │                 └──┘ Later: another subscriber makes the shared result, or others
//	   │                             have their turn
//	   │ error           │ error
//	   ▼                 ▼
//	ending ──▶ Later until the source may end ──▶ last response, with the error ──▶ closed
//
// # Invariants
//
//   - The source checks the rights of the viewer before each execution, and again after a
//     wait for a shared result or a turn.
//   - A turn is left after one execution, and when the subscriber is closed. Nobody waits for
//     the result of a subscriber that has no turn.
//   - The source is closed exactly once: with the last response, when respond panics, or
//     when it is asked after the context has ended. So transports ask until they get nil,
//     or errors without data.
//   - A subscription selects exactly one field (GraphQL specification, 5.2.3.1).
//   - One execution takes at most ten seconds; one that is shared does not end with the
//     client that began it.
//   - Nothing that gqlgen keeps of an execution lives as long as the stream.
package stream
