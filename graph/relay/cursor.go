package relay

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
)

// position is the position of a row in its list. The key is a time.Time, a string or an
// int64.
type position struct {
	key any
	id  string
}

// cursor writes a position as [name, key, id].
func (p position) cursor(name string) string {
	parts := [3]string{0: name, 2: p.id}
	switch key := p.key.(type) {
	case time.Time:
		parts[1] = key.UTC().Format(time.RFC3339Nano)
	case int64:
		parts[1] = strconv.FormatInt(key, 10)
	case string:
		parts[1] = key
	}
	raw, _ := json.Marshal(parts) // texts can always be encoded
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parse reads a cursor of the list. It fails with BAD_USER_INPUT for everything that the
// method cursor would not have written.
func parse(cursor, name string, kind Kind) (position, error) {
	refused := fault.Refuse(fault.BadUserInput, "The cursor is not one of this list.")
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return position{}, refused
	}
	var parts [3]string
	if err := json.Unmarshal(raw, &parts); err != nil {
		return position{}, refused
	}
	p := position{id: parts[2]}
	if p.key, err = kind.parse(parts[1]); err != nil || strings.ContainsRune(parts[1]+p.id, 0) {
		return position{}, refused
	}
	// Encoded again, the position differs if the name is that of another list, a time
	// is finer than a microsecond, or a text is not UTF-8.
	if p.cursor(name) != cursor {
		return position{}, refused
	}
	return p, nil
}

func (k Kind) parse(key string) (any, error) {
	switch k {
	case Time:
		at, err := time.Parse(time.RFC3339Nano, key)
		return at.UTC().Truncate(time.Microsecond), err
	case Number:
		return strconv.ParseInt(key, 10, 64)
	default:
		return key, nil
	}
}
