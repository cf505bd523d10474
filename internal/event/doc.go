// Package event is an account's append-only event log and everything that follows it
// live. The audit log, timelines, live updates and catch-up all read this one table.
//
// # The log
//
// Log.Append writes events in the transaction that changes the state. It increases the
// account's event_seq in the same transaction, and so numbers the events of an account
// 1, 2, 3 without gaps. The account's row stays locked until the commit. The numbers are
// therefore in commit order: when an event is visible, all events with smaller numbers
// are. A Cursor is an account and a number, and means "after this event".
//
// # From a commit to a subscriber
//
//	Append -- commit --> Hub.Wake --> Hub.Run: deliver --> Subscription.queue --> Next
//	             |          ^  ^             reads the log once     one for each
//	             |          |  +-- poll, every 2 s                  subscriber
//	             |          |
//	             |   Notifier.listen  <-- PostgreSQL --  Notifier.send of another node
//	             +-> Notifier.send  ---> LISTEN/NOTIFY
//
// A wake-up carries no data, only the fact that an account's log has grown. The hub then
// reads what is new. A lost wake-up costs a delay, because the poll compares event_seq of
// all followed accounts with their tails. The poll also finds what another process has
// written, such as `convoke account suspend`. The notifier runs on PostgreSQL only; SQLite
// has one node.
//
// The hub keeps a tail for each account with subscribers on this node: the number of the
// last event that it has handed out. One read serves all subscribers of the account. The
// tail is dropped with the last subscriber.
//
// # A subscription
//
//	Subscribe --> replaying --------------> live --------------> ended
//	               ^  last reaches head      |  Stop, Close
//	               +--- a gap in the queue --+
//
// Subscribe joins the tail first and reads the end of the log (head) after that, so that
// every event is either at most head or comes to the queue. Next replays: it reads from the
// log until it has returned the event head. Then it is live and returns the batches of its
// queue. It drops what it has returned already; when numbers are missing before a batch,
// it moves head to the batch's end and replays again. This happens when the tail began
// further on than the subscription, and when the subscriber reads slowly: a queue holds 64
// batches, and is dropped when another one comes.
//
// Stop ends all subscriptions with ErrStopping and discards their queues.
//
// # Invariants
//
//   - A subscription returns each event after its cursor once, in the order of the numbers,
//     or ends with an error.
//   - Neither Append, nor the hub, nor the notifier waits for a subscriber. wake only says
//     that Next may return something; it is called with the hub's mutex held.
//   - The number of database reads for an event on a node does not depend on the number of
//     subscribers, except for those that replay.
//   - The package decides nothing about rights. The code that reads a subscription checks, for
//     each event, whether the viewer may see it.
//   - Hub.Run and Notifier.Run start the only goroutines. They end when their context ends.
package event
