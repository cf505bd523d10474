package event

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/uid"
)

// MaxPositions is how many accounts a cursor of several logs may name: it stays short
// enough for an HTTP header.
const MaxPositions = 100

// Positions is a position in the logs of several accounts, by their ids. Their order is
// no order of time: the logs of two accounts have no common clock.
type Positions map[string]Position

// Position is a position in one of these logs.
type Position struct {
	Seq int64 // after the event with this number
	// Within is set in the middle of the next event, which is about several invitations:
	// after the one with this id.
	Within string
}

// positionsVersion begins every encoded text, so that a later form can be told from this one.
const positionsVersion = "1"

// String encodes the positions. The encoding is opaque, as that of a Cursor, and the same
// for the same positions.
func (p Positions) String() string {
	var b strings.Builder
	b.WriteString(positionsVersion)
	for _, id := range slices.Sorted(maps.Keys(p)) {
		b.WriteString("." + strings.TrimPrefix(id, string(uid.Account)+"_") + "-" + strconv.FormatInt(p[id].Seq, 36))
		if within := p[id].Within; within != "" {
			b.WriteString("-" + strings.TrimPrefix(within, string(uid.Invitation)+"_"))
		}
	}
	return b.String()
}

// ParsePositions reads encoded positions. It fails with BAD_USER_INPUT for anything else.
func ParsePositions(s string) (Positions, error) {
	version, rest, some := strings.Cut(s, ".")
	if version != positionsVersion || some && strings.Count(rest, ".") >= MaxPositions {
		return nil, UnknownCursor()
	}
	p := Positions{}
	if !some {
		return p, nil
	}
	for _, text := range strings.Split(rest, ".") {
		id, number, _ := strings.Cut(text, "-")
		number, within, middle := strings.Cut(number, "-")
		seq, err := strconv.ParseInt(number, 36, 64)
		account, at := string(uid.Account)+"_"+id, Position{Seq: seq}
		if middle {
			at.Within = string(uid.Invitation) + "_" + within
		}
		if err != nil || seq < 0 || !is(account, uid.Account) || middle && !is(at.Within, uid.Invitation) {
			return nil, UnknownCursor()
		}
		p[account] = at
	}
	// Encoded again, the positions differ if an account comes twice, or a number has another form.
	if p.String() != s {
		return nil, UnknownCursor()
	}
	return p, nil
}

// is reports whether the text is an id with the prefix.
func is(id string, want uid.Prefix) bool {
	prefix, err := uid.Of(id)
	return err == nil && prefix == want
}

// Further adds the positions of the other cursor that are further on, or in other logs.
func (p Positions) Further(other Positions) {
	for id, at := range other {
		if known, both := p[id]; !both || at.Seq > known.Seq || at.Seq == known.Seq && at.Within > known.Within {
			p[id] = at
		}
	}
}

// UnknownCursor returns the refusal of a cursor that the server has not made for this list:
// BAD_USER_INPUT.
func UnknownCursor() error {
	return fault.Refuse(fault.BadUserInput, "The cursor is not one of this list.")
}
