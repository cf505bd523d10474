package roster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

// accountsAtOnce is how many accounts a list reads at a time.
const accountsAtOnce = 500

// ErrNoAccount is returned for an id that no account has.
var ErrNoAccount = errors.New("there is no such account")

// Operator does to accounts what only the operator may do, from a process of its own.
// Servers may run on the same database at the same time: they read limits for every
// request, and find its events by polling.
type Operator struct {
	store  *store.Store
	roster *Service
	now    func() time.Time
}

// NewOperator opens an existing database. It fails when the schema is not up to date.
// The caller closes the operator.
func NewOperator(ctx context.Context, database string, now func() time.Time) (*Operator, error) {
	if err := checkThere(database); err != nil {
		return nil, err
	}
	catalogue, err := access.NewCatalogue()
	if err != nil {
		return nil, err
	}
	if err := store.CheckMigrated(ctx, database); err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, database)
	if err != nil {
		return nil, err
	}
	o := &Operator{store: st, now: now}
	// This process has no subscribers, so the hub does not run. It must not use the
	// verbs for viewers, because its catalogue lacks the files of a server.
	hub := event.NewHub(st.Read(), slog.New(slog.DiscardHandler))
	o.roster = &Service{
		Store: st, Access: access.NewLoader(catalogue, st.Changes(), o.now), Events: event.NewLog(hub, o.now), Now: o.now,
	}
	return o, nil
}

// checkThere fails for a missing SQLite file, because opening it would create it.
func checkThere(database string) error {
	if !strings.Contains(database, "://") { // an address may contain a password, which an error must not show
		_, err := os.Stat(database)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no database %s", database)
		}
		if err != nil {
			return fmt.Errorf("look for the database: %w", err)
		}
	}
	return store.CheckAddress(database)
}

// Service returns the verbs of the operator. Those for viewers must not be used.
func (o *Operator) Service() *Service { return o.roster }

// Close closes the database.
func (o *Operator) Close() error { return o.store.Close() }

// SetLimits changes limits of an account, or fails with ErrNoAccount.
func (o *Operator) SetLimits(ctx context.Context, accountID string, l Limits) error {
	return orNoAccount(o.roster.SetLimits(ctx, accountID, l))
}

// Suspend stops an account, or fails with ErrNoAccount.
func (o *Operator) Suspend(ctx context.Context, accountID string) error {
	return orNoAccount(o.roster.Suspend(ctx, accountID))
}

// Resume ends the suspension of an account, or fails with ErrNoAccount.
func (o *Operator) Resume(ctx context.Context, accountID string) error {
	return orNoAccount(o.roster.Resume(ctx, accountID))
}

func orNoAccount(err error) error {
	if fault.Is(err, fault.NotFound) {
		return ErrNoAccount
	}
	return err
}

// AccountLine is an account in a list.
type AccountLine struct {
	ID, Name, Status string
	Owner            string // the address of its default team's owner
}

// EachAccount calls f for every account, oldest first. It reads them in portions, so an
// account that is opened in the meantime may be included.
func (o *Operator) EachAccount(ctx context.Context, f func(AccountLine)) error {
	ctx = access.System(ctx, "list the accounts for the operator")
	for last := ""; ; {
		accounts, err := o.store.Read().Account.Query().
			Where(account.IDGT(last)).Order(account.ByID()).Limit(accountsAtOnce).
			WithTeams(func(q *ent.TeamQuery) { q.Where(team.IsDefault(true)).WithMembers(owners) }).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list the accounts: %w", err)
		}
		for _, a := range accounts {
			line := AccountLine{ID: a.ID, Name: a.Name, Status: a.Status.String()}
			for _, t := range a.Edges.Teams {
				line.Owner = ownerOf(t)
			}
			f(line)
			last = a.ID
		}
		if len(accounts) < accountsAtOnce {
			return nil
		}
	}
}

// owners selects owners, with their users.
func owners(q *ent.MemberQuery) { q.Where(member.IsOwner(true)).WithUser() }

// ownerOf returns the address of the team's owner, who must be loaded.
func ownerOf(t *ent.Team) string {
	for _, m := range t.Edges.Members {
		return m.Edges.User.Email
	}
	return ""
}

// AccountReport is the operator's view of an account. Its JSON has the names of the
// API.
type AccountReport struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Status   string          `json:"status"`
	Preset   string          `json:"preset"`
	Settings AccountSettings `json:"settings"`
	Limits   AccountLimits   `json:"limits"`
	Teams    []TeamReport    `json:"teams"`
}

// AccountSettings are the settings that an account's admins choose.
type AccountSettings struct {
	InvitationTTLHours              int  `json:"invitationTtlHours"`
	CountPendingAsSeats             bool `json:"countPendingAsSeats"`
	KeepInvitationsOfRemovedMembers bool `json:"keepInvitationsOfRemovedMembers"`
}

// AccountLimits are the limits that the operator sets; nil means no limit.
type AccountLimits struct {
	MaxTeams              *int `json:"maxTeams"`
	MaxMembersPerTeam     *int `json:"maxMembersPerTeam"`
	MaxPendingInvitations *int `json:"maxPendingInvitations"`
	MultiUser             bool `json:"multiUser"`
}

// TeamReport is a team with its owner's address and its number of people.
type TeamReport struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Owner  string     `json:"owner"`
	Counts TeamCounts `json:"counts"`
}

// TeamCounts are the numbers of a team's members and invitations by current status.
type TeamCounts struct {
	Active      int `json:"active"`
	Invited     int `json:"invited"`
	Expired     int `json:"expired"`
	Deactivated int `json:"deactivated"`
}

// Account reads the report of an account in one snapshot, its teams oldest first. It
// fails with ErrNoAccount.
func (o *Operator) Account(ctx context.Context, accountID string) (*AccountReport, error) {
	ctx = access.System(ctx, "show an account to the operator")
	client, release, err := o.store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	a, err := client.Account.Query().Where(account.ID(accountID)).
		WithTeams(func(q *ent.TeamQuery) {
			q.Order(team.ByCreatedAt(), team.ByID()).WithMembers(owners).
				// Those that have expired but were not swept yet; see graph.counts.
				WithInvitations(func(q *ent.InvitationQuery) {
					q.Where(lifecycle.Overdue(o.now()))
				})
		}).
		Only(ctx)
	if ent.IsNotFound(err) {
		return nil, ErrNoAccount
	}
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", accountID, err)
	}
	r := &AccountReport{
		ID: a.ID, Name: a.Name, Status: a.Status.String(), Preset: a.Preset,
		Settings: AccountSettings{a.InvitationTTLHours, a.CountPendingAsSeats, a.KeepInvitationsOfRemovedMembers},
		Limits:   AccountLimits{a.MaxTeams, a.MaxMembersPerTeam, a.MaxPendingInvitations, a.MultiUser},
		Teams:    make([]TeamReport, len(a.Edges.Teams)),
	}
	for i, t := range a.Edges.Teams {
		late := len(t.Edges.Invitations)
		r.Teams[i] = TeamReport{t.ID, t.Name, ownerOf(t), TeamCounts{
			Active: t.ActiveMembers, Invited: t.PendingInvitations - late, Expired: t.ExpiredInvitations + late, Deactivated: t.DeactivatedMembers,
		}}
	}
	return r, nil
}

// Limits is a change of an account's limits. A nil field stays as it is.
type Limits struct {
	MultiUser             *bool
	MaxTeams              *Limit
	MaxMembersPerTeam     *Limit
	MaxPendingInvitations *Limit
}

// Limit is the new value of a limit; nil is no limit.
type Limit struct{ Most *int }

// SetLimits changes an account's limits for the operator. People and teams above
// a lowered limit stay. Fails with NOT_FOUND when there is no such account.
func (s *Service) SetLimits(ctx context.Context, accountID string, l Limits) error {
	return s.operate(ctx, accountID, event.AccountUpdated, func(_ *ent.Account, u *ent.AccountUpdateOne) bool {
		u.SetNillableMultiUser(l.MultiUser)
		for _, limit := range []struct {
			to    *Limit
			set   func(int) *ent.AccountUpdateOne
			clear func() *ent.AccountUpdateOne
		}{
			{l.MaxTeams, u.SetMaxTeams, u.ClearMaxTeams},
			{l.MaxMembersPerTeam, u.SetMaxMembersPerTeam, u.ClearMaxMembersPerTeam},
			{l.MaxPendingInvitations, u.SetMaxPendingInvitations, u.ClearMaxPendingInvitations},
		} {
			switch {
			case limit.to == nil:
			case limit.to.Most == nil:
				limit.clear()
			default:
				limit.set(*limit.to.Most)
			}
		}
		return true
	})
}

// Suspend suspends an account for the operator: it can be read and not changed. A
// suspended account stays so, without an event. Fails with NOT_FOUND when there is
// no such account.
func (s *Service) Suspend(ctx context.Context, accountID string) error {
	return s.setStatus(ctx, accountID, account.StatusSuspended, event.AccountSuspended)
}

// Resume ends the suspension of an account for the operator. An account that is
// not suspended stays so, without an event. Fails with NOT_FOUND when there is no
// such account.
func (s *Service) Resume(ctx context.Context, accountID string) error {
	return s.setStatus(ctx, accountID, account.StatusActive, event.AccountResumed)
}

func (s *Service) setStatus(ctx context.Context, accountID string, to account.Status, typ event.Type) error {
	return s.operate(ctx, accountID, typ, func(acc *ent.Account, u *ent.AccountUpdateOne) bool {
		u.SetStatus(to)
		return acc.Status != to
	})
}

// operate changes the account and logs the event, unless change returns false,
// which means that nothing changes. Fails with NOT_FOUND.
func (s *Service) operate(ctx context.Context, accountID string, typ event.Type, change func(*ent.Account, *ent.AccountUpdateOne) bool) error {
	ctx = access.System(ctx, "the operator changes an account")
	return s.Store.InAccount(ctx, accountID, func(tx *store.Tx) error {
		acc, err := tx.Account.Get(ctx, accountID)
		if _, err := found(acc, err, "account"); err != nil {
			return err
		}
		u := tx.Account.UpdateOneID(accountID).AddVersion(1).SetUpdatedAt(s.Now())
		if !change(acc, u) {
			return nil
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("change account %s: %w", accountID, err)
		}
		draft := event.Draft{Type: typ, SubjectID: accountID}
		if typ == event.AccountSuspended || typ == event.AccountResumed { // whatever the viewer can do changes
			draft.Data = map[string]string{event.Reload: event.Set}
		}
		return s.Events.Append(ctx, tx, accountID, draft)
	})
}
