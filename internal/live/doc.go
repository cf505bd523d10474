// Package live decides which subscriber gets which item, and when its stream ends. It
// turns an account's event log and the sessions of a node into sources of items for
// subscriptions; graph/stream executes documents for these items, and the transports of
// server deliver the responses.
//
// There are three openers of sources:
//
//	opener      items                              reads             ends when
//	Team        events of a team on a topic        event log (hub)   the permission or the session is lost
//	Addressee   events of the invitations to an    event logs (hub)  the session ends
//	            address, in all accounts
//	Rights      changes of the own permissions     sessionWatch      the session ends
//
// A source is a value without a goroutine. It is asked for its next item, says "none
// yet", and calls its wake function when asking again may help. So ten thousand idle
// subscriptions cost only memory.
//
// # Who is told
//
// Every item is decided with permissions at least as new as the item's place in the log,
// not with those of the moment in which the stream opened. The sessionWatch keeps one viewer for each
// session with open streams, however many these are:
//
//	event log ──▶ team.Next ──concerns the user?──▶ sessionWatch.afterEvent ─┐
//	                  │                                                      ▼
//	other nodes ──▶ round, every second ─────────────────────────────▶ viewer of the session
//	                  │                                                      │
//	this process ──▶ afterEnds, before each item ────────────────────────────┤
//	                  ▼                                                      ▼
//	                item ◀───────────── members.read still held? ──── listener.current
//
// An event whose type may change permissions (see event.Facts) is looked at by every
// source of its account, shown or not: the viewers are read anew before the next item is
// decided. So nobody sees an event that follows the one that removed them. One read
// serves all streams that need it.
//
// An addressee follows the logs of all accounts that invite the address. addressWatch
// finds accounts that begin to; the hub does the rest, as for teams. A cursor is the
// position in each of these logs.
//
// # Until when
//
// A stream ends when its source returns an error: FORBIDDEN when the permission is lost,
// NOT_FOUND when the team was deleted (team.Viewer), UNAUTHENTICATED when the session has ended, TIMEOUT for a subscriber
// that lags too far behind. Before it ends it asks MayEnd, because the rights stream of
// the same session comes first and says why: lastWord has the states of this hand-over.
//
// # Invariants
//
//   - A source returns each event at most once, in the order of the log. An event about
//     several invitations to one address is an item for each of them.
//   - The position in the log is fixed before the viewer is read: a change of permissions
//     is after that position in the log, or known to the read, or both.
//   - A session that has ended stays ended; its id is never reused.
//   - Wake functions are called with the watch or the hub locked, and must not block.
//   - The two watches run in Service.Run, until its context ends; nothing else in this
//     package has a goroutine, but for the timer of lastWord.
package live
