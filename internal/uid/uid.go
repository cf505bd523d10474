// Package uid creates the ids of rows: a prefix that names the type, and a UUIDv7 (RFC
// 9562, section 5.7) in 26 characters of Crockford's base 32. Ids sort by the time of
// creation.
package uid

import (
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/gofrs/uuid/v5"
)

// Prefix names the type of row that an id belongs to.
type Prefix string

// The prefixes of all tables.
const (
	Account     Prefix = "acc"
	Team        Prefix = "team"
	User        Prefix = "usr"
	Member      Prefix = "mem"
	Role        Prefix = "role"
	Invitation  Prefix = "inv"
	Session     Prefix = "ses"
	Event       Prefix = "evt"
	Job         Prefix = "job"
	SignUp      Prefix = "sup"
	Group       Prefix = "grp"
	Division    Prefix = "div"
	Transfer    Prefix = "otr"
	Idempotency Prefix = "idk"
	Reset       Prefix = "pwr"
	EmailChange Prefix = "emc"
	CoolOff     Prefix = "cool"
	APIKey      Prefix = "key"
)

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// New returns a new id with the prefix. It panics when the system provides no randomness,
// because no caller could recover from that.
func New(p Prefix) string {
	u := uuid.Must(uuid.NewV7())
	return string(p) + "_" + encoding.EncodeToString(u[:])
}

// Of returns the prefix of an id, or an error when the text does not have the form of an
// id.
func Of(id string) (Prefix, error) {
	p, rest, _ := strings.Cut(id, "_")
	u, err := encoding.DecodeString(rest)
	// The last character has two bits more than a UUID.
	if err != nil || p == "" || len(u) != uuid.Size || encoding.EncodeToString(u) != rest {
		return "", fmt.Errorf("not an id: %q", id)
	}
	return Prefix(p), nil
}
