// Package model holds the Go side of schema types that are neither ent's
// structs nor a domain package's.
package model

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Node is anything with an id: a pointer to one of ent's structs, or an *Event. A pointer to
// an interface is none, which any would be.
type Node interface{ String() string }

// Actor is who did something: a *ent.User or a *SystemActor.
type Actor any

// Person is somebody in a team or on the way into it: a *ent.Member or a
// *ent.Invitation. No other row has these edges.
type Person interface {
	Node
	QueryTeam() *ent.TeamQuery
	QueryRoles() *ent.RoleQuery
	QueryGroups() *ent.GroupQuery
}

// Event is one line of an account's log, with who did it.
type Event struct {
	ID        string
	Cursor    string
	Type      EventType
	At        time.Time
	Actor     Actor
	SubjectID *string
	Summary   string
}

// String returns the id.
func (e *Event) String() string { return e.ID }

// Pages of lists, and their elements.
type (
	// MemberConnection is a page of members.
	MemberConnection = relay.Connection[*ent.Member]
	// MemberEdge is a member in a list.
	MemberEdge = relay.Edge[*ent.Member]
	// InvitationConnection is a page of invitations.
	InvitationConnection = relay.Connection[*ent.Invitation]
	// InvitationEdge is an invitation in a list.
	InvitationEdge = relay.Edge[*ent.Invitation]
	// TeamConnection is a page of teams.
	TeamConnection = relay.Connection[*ent.Team]
	// TeamEdge is a team in a list.
	TeamEdge = relay.Edge[*ent.Team]
	// APIKeyConnection is a page of API keys.
	APIKeyConnection = relay.Connection[*ent.APIKey]
	// APIKeyEdge is an API key in a list.
	APIKeyEdge = relay.Edge[*ent.APIKey]
	// RoleConnection is a page of roles.
	RoleConnection = relay.Connection[*ent.Role]
	// RoleEdge is a role in a list.
	RoleEdge = relay.Edge[*ent.Role]
	// GroupConnection is a page of groups.
	GroupConnection = relay.Connection[*ent.Group]
	// GroupEdge is a group in a list.
	GroupEdge = relay.Edge[*ent.Group]
	// DivisionConnection is a page of divisions.
	DivisionConnection = relay.Connection[*ent.Division]
	// DivisionEdge is a division in a list.
	DivisionEdge = relay.Edge[*ent.Division]
	// PersonConnection is a page of people.
	PersonConnection = relay.Connection[Person]
	// PersonEdge is somebody in a list.
	PersonEdge = relay.Edge[Person]
	// InvitationBlockConnection is a page of blocks.
	InvitationBlockConnection = relay.Connection[*ent.CoolOff]
	// InvitationBlockEdge is a block in a list.
	InvitationBlockEdge = relay.Edge[*ent.CoolOff]
	// SessionConnection is a page of sessions.
	SessionConnection = relay.Connection[*ent.Session]
	// SessionEdge is a session in a list.
	SessionEdge = relay.Edge[*ent.Session]
	// EventConnection is a page of events.
	EventConnection = relay.Connection[*Event]
	// EventEdge is an event in a list.
	EventEdge = relay.Edge[*Event]
)

// MarshalDateTime writes a moment as RFC 3339 in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.Quote(t.UTC().Format(time.RFC3339Nano))) // gqlgen's writer is a buffer
	})
}

// rfc3339 is the form of a moment. time.Parse also accepts T1:00:00Z, a comma, and an offset of a day.
var rfc3339 = regexp.MustCompile(`^[0-9-]{10}T[0-9]{2}:[0-9:]{5}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// UnmarshalDateTime reads a moment as RFC 3339. In UTC it is in the years 0 to 9999, because
// MarshalDateTime could not write another year.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, fault.Refuse(fault.BadUserInput, "A DateTime is a string in RFC 3339.")
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if t = t.UTC(); err != nil || !rfc3339.MatchString(s) || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}, fault.Refuse(fault.BadUserInput, "A DateTime is a string in RFC 3339, such as 2030-01-31T12:00:00Z.")
	}
	return t, nil
}

// MarshalID writes an id.
func MarshalID(id string) graphql.Marshaler { return graphql.MarshalID(id) }

// UnmarshalID reads an id. A zero byte, which PostgreSQL refuses, is replaced by
// another that no id has: such an id names nothing, like a random one.
func UnmarshalID(v any) (string, error) {
	id, err := graphql.UnmarshalID(v)
	return strings.ReplaceAll(id, "\x00", "?"), err
}
