package graphqlws

import (
	"fmt"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// The close codes of the protocol, and those of RFC 6455 (section 7.4.1) that this
// server sends. doc.go lists when each is sent.
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
	lost              = websocket.CloseAbnormalClosure // reported, never sent
	maxReason         = 123                            // bytes: RFC 6455, section 5.5
	reasonTooManyInit = "Too many initialisation requests"
)

// CloseError says how and why a connection ends. Returned by Transport.Init, it refuses
// the connection.
type CloseError struct {
	Code   int
	Reason string
}

// Error returns code and reason.
func (c CloseError) Error() string { return fmt.Sprintf("%d: %s", c.Code, c.Reason) }

// frame returns the body of the close frame. A reason that is too long is cut at the
// end of a character.
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
