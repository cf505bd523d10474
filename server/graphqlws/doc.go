// Package graphqlws serves GraphQL over WebSocket by the graphql-transport-ws
// protocol (PROTOCOL.md of the npm package graphql-ws), on gorilla/websocket. It knows
// neither the schema nor the users: it executes operations with gqlgen's executor, and
// asks the functions of a Transport for everything else.
//
// The operations of a connection do not know how its messages travel. A Line is a
// connection whose owner brings the client's messages and writes the responses: the event
// streams of package server are Lines. It shares all of the operations below, the worker
// pool, and the limit of connections (Place) with the sockets.
//
// The client sends connection_init once, and the server replies connection_ack when
// Transport.Init accepts it. Then each subscribe starts an operation under an id of the
// client. The server sends next for each of its responses, and complete or error as the
// last message; the client sends complete to end it. Each ping is replied with a pong.
//
// # A WebSocket
//
//	       connection_init         Init accepts
//	opened ---------------> init --------------> acked ----> closing ----------> released
//	   |                     |                           startClosing  reading fails
//	   +---------------------+----------------------------->^
//
// Do upgrades the request, unless Place refuses it, and starts serve, the goroutine that reads. startClosing
// cancels the context of all operations, wakes them, stops the timer, and gives serve
// closeWithin to read the client's close frame; the first reason to close counts. When
// reading fails, serve calls release, which waits for all operations, forgets the
// connection and calls Closed. Every end is cleaned up this way:
//
//	end                                      code          client sees          where
//	the client closes                        the client's  its close frame      readFailed
//	the connection breaks                    1006          nothing              readFailed
//	the client does not read in WriteWithin  1006          nothing              write, tick
//	no sign of life for two pings            1001          close frame          readFailed
//	a message is larger than MaxMessage      1009          close frame          readFailed
//	a message is not UTF-8                   1007          close frame          receive
//	a message breaks the protocol            4400          close frame          parse, params
//	connection_init does not come in time    4408          close frame          tick
//	connection_init comes twice              4429          close frame          init
//	Init refuses, or fails (1011)            Init's        close frame          init, serve
//	Place refuses after Init                 4429          close frame          init
//	a visitor asks for nothing: QuietPings   1000          close frame          tick
//	subscribe comes before connection_ack    4401          close frame          subscribe
//	subscribe with an id that is in use      4409          close frame          subscribe
//	EndSession, or Fatal errors              theirs        error, close frame   endAll, fail
//	Stop, when queries have finished         1012          close frame          stop
//
// Code 1006 is never sent. Closed reports it for a connection without a close frame.
//
// # An operation
//
// execute runs it in a goroutine of its own. A query or mutation runs there to its
// end. A subscription that has nothing to send returns Later and gives its goroutine
// back; after wake, the worker pool executes it until the next Later.
//
//	         Later            wake             wake            Later
//	running -------> waiting ------> running ------> awoken --------> running, asked again
//
//	end                               last message  where
//	it has ended                      complete      answer
//	it failed, was refused, panicked  error         fail
//	too many operations run           error: Busy   execute
//	the client sends complete         none          complete
//	Stop, for a subscription          none          stop, begin
//	EndSession, or Fatal errors       error         endAll
//	the connection closes otherwise   none          startClosing
//
// An ending operation is first done: its id is free, and nothing is sent for it. A
// subscription is then executed once more with its context cancelled, so that it closes
// its source. Then operationEnded counts it as ended.
//
// # Invariants
//
//   - One message is written at a time (conn.writing), each within a time limit. A
//     client that does not read is disconnected, and delays only its own operations.
//   - Nothing is sent for an operation after its complete or error, nor after the client's
//     complete was handled: next and finish check done while they hold writing.
//   - One goroutine at a time executes a subscription.
//   - Only serve releases a WebSocket; everything else makes its reading fail. A Line is
//     released when its operations have ended, in a goroutine that starts with its close.
//   - Every goroutine ends: serve when reading fails, an operation's with the operation, a
//     worker when the queue is empty, endAll's after its writes, stop's after its time.
package graphqlws
