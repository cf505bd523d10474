package person

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/emailchange"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
)

// exportedAtOnce is how many rows of a list are read at a time.
const exportedAtOnce = 500

// Export writes everything about a user as one JSON object: the profile, sessions,
// a pending change of address, memberships, invitations to them and by them, accounts that
// they have blocked, API keys that they created, and the events that they caused or that are about them. It holds no
// password, token or hash, and nobody else's address: of invitations that the user sent,
// only when, where and what became of them. It reads in portions, so its size is not
// limited. The caller has made sure who asks.
func (s *Service) Export(ctx context.Context, userID string, to io.Writer) error {
	ctx = access.System(ctx, "export the data of a person")
	u, err := s.Store.Read().User.Get(ctx, userID)
	if err != nil {
		return fmt.Errorf("export user %s: %w", userID, err)
	}
	e := &export{ctx: ctx, read: s.Store.Read(), user: u, invited: s.receivedBy(u), theirs: s.theirs(u), out: json.NewEncoder(to), to: to}
	e.out.SetEscapeHTML(false)
	e.text(`{"exportedAt":`)
	e.value(s.Now())
	e.text(`,"user":`)
	e.value(profileOf(u))
	e.list("sessions", e.sessions)
	e.list("emailChanges", e.emailChanges)
	e.list("memberships", e.memberships)
	e.list("invitationsReceived", e.received)
	e.list("invitationsSent", e.sent)
	e.list("invitationBlocks", e.blocks)
	e.list("apiKeysCreated", e.keys)
	e.list("events", e.events)
	e.text("}\n")
	return e.err
}

// export writes one export; err is the first error, after which nothing is written.
type export struct {
	ctx  context.Context //nolint:containedctx // of this one call
	read *ent.Client
	user *ent.User
	// invited picks the invitations to the user, theirs says whether the address is theirs.
	invited predicate.Invitation
	theirs  bool
	out     *json.Encoder
	to      io.Writer
	err     error
}

func (e *export) text(text string) {
	if e.err == nil {
		_, e.err = io.WriteString(e.to, text)
	}
}

func (e *export) value(v any) {
	if e.err == nil {
		e.err = e.out.Encode(v)
	}
}

// list writes a list. portion returns its elements after the one with the id, in the order
// of their ids, and the last id; none at the end.
func (e *export) list(name string, portion func(after string) (rows []any, last string, err error)) {
	e.text(`,"` + name + `":[`)
	separator, after := "", ""
	for e.err == nil {
		rows, last, err := portion(after)
		if err != nil {
			e.err = fmt.Errorf("export %s of %s: %w", name, e.user.ID, err)
			return
		}
		for _, row := range rows {
			e.text(separator)
			e.value(row)
			separator = ","
		}
		if len(rows) < exportedAtOnce {
			break
		}
		after = last
	}
	e.text("]")
}

type profile struct {
	ID              string     `json:"id"`
	Email           string     `json:"email"`
	FirstName       string     `json:"firstName"`
	LastName        string     `json:"lastName"`
	JobTitle        string     `json:"jobTitle"`
	HasPassword     bool       `json:"hasPassword"`
	EmailVerifiedAt time.Time  `json:"emailVerifiedAt"`
	CreatedAt       time.Time  `json:"createdAt"`
	LastSeenAt      *time.Time `json:"lastSeenAt"`
	ErasedAt        *time.Time `json:"erasedAt,omitempty"`
}

func profileOf(u *ent.User) profile {
	return profile{
		ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, JobTitle: u.JobTitle, HasPassword: u.PasswordHash != "",
		EmailVerifiedAt: u.EmailVerifiedAt, CreatedAt: u.CreatedAt, LastSeenAt: u.LastSeenAt, ErasedAt: u.ErasedAt,
	}
}

func (e *export) sessions(after string) (rows []any, last string, err error) {
	found, err := e.read.Session.Query().Where(session.UserID(e.user.ID), session.IDGT(after)).
		Order(session.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, s := range found {
		last = s.ID
		rows = append(rows, struct {
			ID         string    `json:"id"`
			CreatedAt  time.Time `json:"createdAt"`
			LastSeenAt time.Time `json:"lastSeenAt"`
			ExpiresAt  time.Time `json:"expiresAt"`
			ClientIP   string    `json:"clientIp"`
			UserAgent  string    `json:"userAgent"`
		}{s.ID, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.ClientIP, s.UserAgent})
	}
	return rows, last, err
}

// emailChanges are the change of address that waits for confirmation, if there is one.
func (e *export) emailChanges(after string) (rows []any, last string, err error) {
	found, err := e.read.EmailChange.Query().Where(emailchange.UserID(e.user.ID), emailchange.IDGT(after)).All(e.ctx)
	for _, c := range found {
		last = c.ID
		rows = append(rows, struct {
			ID             string    `json:"id"`
			NewEmail       string    `json:"newEmail"`
			CreatedAt      time.Time `json:"createdAt"`
			ExpiresAt      time.Time `json:"expiresAt"`
			ConfirmedByOld bool      `json:"confirmedByOld"`
			ConfirmedByNew bool      `json:"confirmedByNew"`
		}{c.ID, c.NewEmail, c.CreatedAt, c.ExpiresAt, c.ConfirmedByOld, c.ConfirmedByNew})
	}
	return rows, last, err
}

func (e *export) memberships(after string) (rows []any, last string, err error) {
	found, err := e.read.Member.Query().Where(member.UserID(e.user.ID), member.IDGT(after)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithRoles().WithGroups().WithDivisions().
		Order(member.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, m := range found {
		last = m.ID
		rows = append(rows, struct {
			ID             string    `json:"id"`
			Account        string    `json:"account"`
			Team           string    `json:"team"`
			Status         string    `json:"status"`
			IsOwner        bool      `json:"isOwner"`
			JoinedAt       time.Time `json:"joinedAt"`
			Roles          []string  `json:"roles"`
			Groups         []string  `json:"groups"`
			Divisions      []string  `json:"divisions"`
			Permissions    []string  `json:"directPermissions"`
			AllPermissions bool      `json:"allPermissions"`
			AllowedDomains []string  `json:"allowedDomains"`
		}{
			m.ID, m.Edges.Team.Edges.Account.Name, m.Edges.Team.Name, string(m.Status), m.IsOwner, m.CreatedAt,
			namesOf(m.Edges.Roles, func(r *ent.Role) string { return r.Name }),
			namesOf(m.Edges.Groups, func(g *ent.Group) string { return g.Name }),
			namesOf(m.Edges.Divisions, func(d *ent.Division) string { return d.Name }),
			m.Permissions, m.AllPermissions, m.AllowedDomains,
		})
	}
	return rows, last, err
}

func namesOf[T any](list []T, name func(T) string) []string {
	names := make([]string, len(list))
	for n, one := range list {
		names[n] = name(one)
	}
	return names
}

// sentInvitation is an invitation as its sender's data: it leaves the addressee out.
type sentInvitation struct {
	ID        string    `json:"id"`
	AccountID string    `json:"accountId"`
	TeamID    string    `json:"teamId"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type receivedInvitation struct {
	sentInvitation

	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	JobTitle  string `json:"jobTitle"`
	Note      string `json:"note"`
}

func sentOf(i *ent.Invitation) sentInvitation {
	return sentInvitation{i.ID, i.AccountID, i.TeamID, string(i.Status), i.CreatedAt, i.ExpiresAt}
}

func (e *export) received(after string) (rows []any, last string, err error) {
	found, err := e.read.Invitation.Query().Where(e.invited, invitation.IDGT(after)).
		Order(invitation.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, i := range found {
		last = i.ID
		rows = append(rows, receivedInvitation{sentOf(i), i.Email, i.FirstName, i.LastName, i.JobTitle, i.Note})
	}
	return rows, last, err
}

func (e *export) sent(after string) (rows []any, last string, err error) {
	found, err := e.read.Invitation.Query().Where(invitation.InviterID(e.user.ID), invitation.IDGT(after)).
		Order(invitation.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, i := range found {
		last = i.ID
		rows = append(rows, sentOf(i))
	}
	return rows, last, err
}

// blocks are the accounts from which the user wants no invitations.
func (e *export) blocks(after string) (rows []any, last string, err error) {
	if !e.theirs {
		return nil, "", nil
	}
	found, err := e.read.CoolOff.Query().
		Where(cooloff.AddressHash(address.Hash(e.user.EmailKey)), cooloff.BlockedAtNotNil(), cooloff.IDGT(after)).
		Order(cooloff.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, c := range found {
		last = c.ID
		rows = append(rows, struct {
			ID        string     `json:"id"`
			AccountID string     `json:"accountId"`
			BlockedAt *time.Time `json:"blockedAt"`
		}{c.ID, c.AccountID, c.BlockedAt})
	}
	return rows, last, err
}

// keys are the API keys that the user created. They belong to accounts.
func (e *export) keys(after string) (rows []any, last string, err error) {
	found, err := e.read.APIKey.Query().Where(apikey.CreatorID(e.user.ID), apikey.IDGT(after)).
		Order(apikey.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, k := range found {
		last = k.ID
		rows = append(rows, struct {
			ID        string    `json:"id"`
			AccountID string    `json:"accountId"`
			Name      string    `json:"name"`
			CreatedAt time.Time `json:"createdAt"`
		}{k.ID, k.AccountID, k.Name, k.CreatedAt})
	}
	return rows, last, err
}

// events reads the whole log of the database, because nothing else needs an index for it.
func (e *export) events(after string) (rows []any, last string, err error) {
	members, err := e.read.Member.Query().Where(member.UserID(e.user.ID)).IDs(e.ctx)
	if err != nil {
		return nil, "", err
	}
	about := slices.Concat(members, []string{e.user.ID})
	found, err := e.read.Event.Query().
		Where(entevent.IDGT(after), entevent.Or(entevent.ActorID(e.user.ID), entevent.SubjectIDIn(about...))).
		Order(entevent.ByID()).Limit(exportedAtOnce).All(e.ctx)
	for _, v := range found {
		last = v.ID
		row := struct {
			ID        string    `json:"id"`
			At        time.Time `json:"at"`
			AccountID string    `json:"accountId"`
			Type      string    `json:"type"`
			ByUser    bool      `json:"byUser"`
			SubjectID string    `json:"subjectId"`
			ClientIP  string    `json:"clientIp,omitempty"`
			UserAgent string    `json:"userAgent,omitempty"`
		}{ID: v.ID, At: v.CreatedAt, AccountID: v.AccountID, Type: v.Type, ByUser: v.ActorID == e.user.ID, SubjectID: v.SubjectID}
		if row.ByUser {
			row.ClientIP, row.UserAgent = v.ClientIP, v.UserAgent
		}
		rows = append(rows, row)
	}
	return rows, last, err
}
