// Package access decides who may know and do what. It holds the viewer, the
// permission catalogue with the role presets, the guard on the ent client, and the
// redactions of rows that are shown in part.
//
// # Viewer and membership
//
// A Viewer is the signed-in user with one Membership for each team in which they are
// an active member. A membership has a Set of permissions: what the direct permissions,
// the roles and the roles of the groups hold together, or the whole catalogue for the
// owner. `key:own` permits a task on resources of the member; `key` covers `key:own`, and
// not the other way round. A stored key that has left the catalogue grants nothing.
// Account-wide questions look at the membership in the account's default team alone.
//
// # The path of a question
//
//	token or key ──▶ auth ─▶ Loader ─▶ Viewer ─▶ context (WithViewer)
//	                                               │
//	           ┌──────────────────┬────────────────┼───────────────────┐
//	           ▼                  ▼                ▼                   ▼
//	     "may I do it?"    "which rows?"     "may this write?"   "may they do it?"
//	       Require        Guard: visible     Guard: confine      Membership.Decide
//	           │                  │                │                   │
//	     UNAUTHENTICATED    a condition on    an error unless     Decision with the
//	     NOT_FOUND          every query       in an account of    grants that allow it
//	     FORBIDDEN          of the client     the viewer
//	                              │
//	                              ▼
//	                      redact.go: which fields
//
// # The guard
//
// Guard adds to every query the condition `visible` of its table: root queries, eager
// loads, edges, counts, aggregates, inside transactions and outside. A visitor sees
// nothing, nobody sees a table without a case, and a context without a viewer is
// ErrNoViewer. Writes stay inside the viewer's accounts; the verbs check permissions.
//
// The guard does not cover HasXWith predicates, foreign ids in creates and in edge
// additions, raw SQL, and columns. So HasXWith is never built from client input, and a
// verb reads a foreign id through the guard before it writes it. System returns a context
// that passes the guard: its rows are for the program, or are redacted before they are
// shown.
//
// # Ceiling and restrictions
//
// Nobody grants what they do not hold: Set.Covers compares what a Grant amounts to with
// the permissions of the person who grants it. roster and invite apply this when
// something is granted, and again when an invitation is accepted. Restrictions narrow
// where a member may act: Reaches for divisions and all below them, ReachesDomain for
// domains and their subdomains. None means everywhere, and the owner has none.
//
// # Invariants
//
//   - A Viewer and a Membership do not change after they were loaded. The guard counts
//     each commit that may outdate them (Changes), which drops every Cache at once; a
//     change of another process shows after trustedFor.
//   - Require answers NOT_FOUND, not FORBIDDEN, for what the viewer may not know of.
//   - A new table is hidden, and a new column is hidden by every redaction.
//   - A check that must not be overtaken runs in the transaction, by Loader.Membership
//     or Loader.RequireStill.
package access
