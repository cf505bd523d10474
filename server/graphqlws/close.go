package graphqlws

import (
	"fmt"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Close codes of the protocol, and those of RFC 6455 (section 7.4.1) this
// server sends. docs/operations.md lists when.
const (
	BadRequest        = 4400
	Unauthorized      = 4401
	Forbidden         = 4403
	InitTimeout       = 4408
	SubscriberExists  = 4409
	TooMany           = 4429
	TryAgainLater     = websocket.CloseTryAgainLater
	serviceRestart    = websocket.CloseServiceRestart
	invalidText       = websocket.CloseInvalidFramePayloadData
	goingAway         = websocket.CloseGoingAway
	lost              = websocket.CloseAbnormalClosure // seen, never sent
	maxReason         = 123                            // bytes: RFC 6455, section 5.5
	reasonTooManyInit = "Too many initialisation requests"
)

// CloseError is the end of a connection, and why. As an error of Transport.Init it
// refuses the connection.
type CloseError struct {
	Code   int
	Reason string
}

// Error tells code and reason.
func (c CloseError) Error() string { return fmt.Sprintf("%d: %s", c.Code, c.Reason) }

// frame is the body of the closing frame: the reason is cut to what fits, at
// the end of a character.
func (c CloseError) frame() []byte {
	reason := c.Reason
	if len(reason) > maxReason {
		end := maxReason
		for !utf8.RuneStart(reason[end]) {
			end--
		}
		reason = reason[:end]
	}
	return websocket.FormatCloseMessage(c.Code, reason)
}
