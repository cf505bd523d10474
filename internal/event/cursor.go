package event

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Cursor is a position in an account's log: after the event with this number.
type Cursor struct {
	AccountID string
	Seq       int64
}

// CursorOf returns the position of the event in its account's log.
func CursorOf(e *ent.Event) Cursor { return Cursor{AccountID: e.AccountID, Seq: e.Seq} }

// String encodes the cursor. The encoding is opaque: clients store it and send it back.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.AccountID + ":" + strconv.FormatInt(c.Seq, 10)))
}

// ParseCursor reads a cursor of the account. It fails with BAD_USER_INPUT for anything
// else, including a cursor of another account.
func ParseCursor(s, accountID string) (Cursor, error) {
	raw, _ := base64.RawURLEncoding.DecodeString(s)
	id, number, _ := strings.Cut(string(raw), ":")
	seq, _ := strconv.ParseInt(number, 10, 64)
	c := Cursor{AccountID: id, Seq: seq}
	// Encoded again, the position differs if any part cannot be read.
	if seq < 0 || id != accountID || c.String() != s {
		return Cursor{}, fault.Refuse(fault.BadUserInput, "The cursor is not one of this account's.")
	}
	return c, nil
}
