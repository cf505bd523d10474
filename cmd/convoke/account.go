package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/server"
)

// noLimit is how an operator writes that there is no limit.
const noLimit = "none"

// accountCommand is convoke account.
type accountCommand struct {
	List    listCommand    `cmd:"" help:"List the accounts: id, name, status, the owner's address."`
	Show    showCommand    `cmd:"" help:"Show an account: its settings, limits and teams."`
	Limits  limitsCommand  `cmd:"" help:"Change limits of an account."`
	Suspend suspendCommand `cmd:"" help:"Stop an account: it can be looked at, and nothing in it changed."`
	Resume  resumeCommand  `cmd:"" help:"Let a suspended account go on."`
}

// database says on what database a command works.
type database struct {
	DB   string `help:"The database: the path of an SQLite file, or postgres://user:password@host/name. By default the file convoke.db." name:"db" placeholder:"DB"`
	Data string `help:"The demo's data folder, whose convoke.db is meant; in the place of --db." type:"path" placeholder:"DIR"`
}

func (d database) open(ctx context.Context) (*roster.Operator, error) {
	switch {
	case d.DB != "" && d.Data != "":
		return nil, errors.New("both --db and --data are given (perhaps by CONVOKE_DB or CONVOKE_DATA): give one of them")
	case d.Data != "":
		d.DB = filepath.Join(d.Data, defaultDB)
	case d.DB == "":
		d.DB = defaultDB
	}
	return roster.NewOperator(ctx, d.DB, server.Clock(time.Now))
}

// operate runs f on the database, and closes it.
func (d database) operate(ctx context.Context, f func(*roster.Operator) error) (err error) {
	o, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return f(o)
}

// oneAccount is what commands on one account have in common.
type oneAccount struct {
	database

	ID string `arg:"" name:"account-id" help:"The account's id, as convoke account list shows it."`
}

type listCommand struct{ database }

// Run prints a line for every account.
func (c *listCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *roster.Operator) error {
		var b strings.Builder
		b.WriteString("ID\tNAME\tSTATUS\tOWNER\n")
		err := o.EachAccount(ctx, func(a roster.AccountLine) {
			fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", a.ID, a.Name, a.Status, a.Owner)
		})
		if err != nil {
			return err
		}
		return printAligned(b.String(), 0)
	})
}

type showCommand struct {
	oneAccount

	JSON bool `help:"Print it as JSON." name:"json" env:"-"`
}

// Run prints the account, and what it has.
func (c *showCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *roster.Operator) error {
		a, err := o.Account(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			out := json.NewEncoder(os.Stdout)
			out.SetEscapeHTML(false)
			out.SetIndent("", "  ")
			return out.Encode(a)
		}
		return show(a)
	})
}

func show(a *roster.AccountReport) error {
	var b strings.Builder
	for _, line := range [][2]any{
		{"id", a.ID},
		{"name", a.Name},
		{"status", a.Status},
		{"preset", a.Preset},
		{"invitation-ttl-hours", a.Settings.InvitationTTLHours},
		{"count-pending-as-seats", a.Settings.CountPendingAsSeats},
		{"keep-invitations-of-removed-members", a.Settings.KeepInvitationsOfRemovedMembers},
		{"max-teams", mostText(a.Limits.MaxTeams)},
		{"max-members-per-team", mostText(a.Limits.MaxMembersPerTeam)},
		{"max-pending-invitations", mostText(a.Limits.MaxPendingInvitations)},
		{"multi-user", a.Limits.MultiUser},
	} {
		fmt.Fprintf(&b, "%s:\t%v\n", line[0], line[1])
	}
	b.WriteString("\nTEAM\tNAME\tOWNER\tACTIVE\tINVITED\tEXPIRED\tDEACTIVATED\n")
	for _, t := range a.Teams {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t%d\t%d\t%d\n", t.ID, t.Name, t.Owner, t.Counts.Active, t.Counts.Invited, t.Counts.Expired, t.Counts.Deactivated)
	}
	return printAligned(b.String(), 0)
}

// printAligned prints text whose columns are parted by tabs; those of lines
// that follow each other stand below each other, as wide as asked at least.
func printAligned(text string, width int) error {
	w := tabwriter.NewWriter(os.Stdout, width, 0, 2, ' ', 0)
	_, err := io.WriteString(w, text)
	return errors.Join(err, w.Flush())
}

type limitsCommand struct {
	oneAccount

	MaxTeams              limitFlag `help:"The most teams: a number, or none for no limit." placeholder:"N" env:"-"`
	MaxMembersPerTeam     limitFlag `help:"The most members of a team: a number, or none." placeholder:"N" env:"-"`
	MaxPendingInvitations limitFlag `help:"The most open invitations: a number, or none." placeholder:"N" env:"-"`
	MultiUser             boolFlag  `help:"Whether it may have more than one user: true or false." placeholder:"BOOL" env:"-"`
}

// Run changes the limits that were given, and says which.
func (c *limitsCommand) Run(ctx context.Context) error {
	var changed []string
	for _, f := range []struct {
		name string
		to   *roster.Limit
	}{
		{"max-teams", c.MaxTeams.to},
		{"max-members-per-team", c.MaxMembersPerTeam.to},
		{"max-pending-invitations", c.MaxPendingInvitations.to},
	} {
		if f.to != nil {
			changed = append(changed, f.name+" "+mostText(f.to.Most))
		}
	}
	if to := c.MultiUser.to; to != nil {
		changed = append(changed, "multi-user "+strconv.FormatBool(*to))
	}
	if len(changed) == 0 {
		return errors.New("say what to change: --max-teams, --max-members-per-team, --max-pending-invitations (a number, or none), --multi-user (true or false)")
	}
	return c.operate(ctx, func(o *roster.Operator) error {
		err := o.SetLimits(ctx, c.ID, roster.Limits{
			MultiUser: c.MultiUser.to, MaxTeams: c.MaxTeams.to,
			MaxMembersPerTeam: c.MaxMembersPerTeam.to, MaxPendingInvitations: c.MaxPendingInvitations.to,
		})
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s\n", c.ID, strings.Join(changed, ", "))
		return nil
	})
}

// limitFlag is a limit as typed; without the flag it leads nowhere. It decodes
// itself, for kong takes a negative number for a flag.
type limitFlag struct{ to *roster.Limit }

// Decode reads a limit that fits GraphQL's Int.
func (f *limitFlag) Decode(ctx *kong.DecodeContext) error {
	typed := behind(ctx)
	f.to = &roster.Limit{}
	if typed == noLimit {
		return nil
	}
	n, err := strconv.ParseUint(typed, 10, 31)
	if err != nil {
		return fmt.Errorf("give a number from 0 to %d, or %s, not %q", math.MaxInt32, noLimit, typed)
	}
	most := int(n)
	f.to.Most = &most
	return nil
}

// boolFlag is a yes or no that may be left out, and stands behind a space too.
type boolFlag struct{ to *bool }

// Decode reads true or false.
func (f *boolFlag) Decode(ctx *kong.DecodeContext) error {
	typed := behind(ctx)
	yes, err := strconv.ParseBool(typed)
	if err != nil {
		return fmt.Errorf("give true or false, not %q", typed)
	}
	f.to = &yes
	return nil
}

// behind returns what stands behind a flag, empty at the end of the line.
func behind(ctx *kong.DecodeContext) string {
	if t := ctx.Scan.Pop(); !t.IsEOL() {
		return t.String()
	}
	return ""
}

func mostText(n *int) string {
	if n == nil {
		return noLimit
	}
	return strconv.Itoa(*n)
}

type suspendCommand struct{ oneAccount }

// Run suspends the account; one that is suspended already stays so.
func (c *suspendCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *roster.Operator) error {
		if err := o.Suspend(ctx, c.ID); err != nil {
			return err
		}
		fmt.Printf("%s: suspended\n", c.ID)
		return nil
	})
}

type resumeCommand struct{ oneAccount }

// Run lets the account go on; one that is in use stays so.
func (c *resumeCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *roster.Operator) error {
		if err := o.Resume(ctx, c.ID); err != nil {
			return err
		}
		fmt.Printf("%s: active\n", c.ID)
		return nil
	})
}
