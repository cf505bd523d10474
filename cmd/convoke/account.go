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

// noLimit is the word for no limit on the command line.
const noLimit = "none"

// accountCommand is convoke account.
type accountCommand struct {
	List    listCommand    `cmd:"" help:"List the accounts: id, name, status, the owner's address."`
	Show    showCommand    `cmd:"" help:"Show an account: its settings, limits and teams."`
	Limits  limitsCommand  `cmd:"" help:"Change limits of an account."`
	Suspend suspendCommand `cmd:"" help:"Suspend an account: it can be read, but nothing in it can be changed."`
	Resume  resumeCommand  `cmd:"" help:"End the suspension of an account."`
}

// database holds the flags that name the database of a command.
type database struct {
	DB   string `help:"The database: the path of an SQLite file, or postgres://user:password@host/name. By default the file convoke.db." name:"db" placeholder:"DB"`
	Data string `help:"The demo's data folder, which contains convoke.db; instead of --db." type:"path" placeholder:"DIR"`
}

func (d database) open(ctx context.Context) (*roster.Operator, error) {
	address, err := d.address()
	if err != nil {
		return nil, err
	}
	return roster.NewOperator(ctx, address, server.Clock(time.Now))
}

// address returns the database that the flags name.
func (d database) address() (string, error) {
	switch {
	case d.DB != "" && d.Data != "":
		return "", errors.New("both --db and --data are given (perhaps by CONVOKE_DB or CONVOKE_DATA): give one of them")
	case d.Data != "":
		return filepath.Join(d.Data, defaultDB), nil
	case d.DB == "":
		return defaultDB, nil
	}
	return d.DB, nil
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

// oneAccount holds the arguments of a command on one account.
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

// Run prints the account with its settings, limits and teams.
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

// printAligned prints text with aligned columns. The columns of the text are separated by
// tabs. width is the smallest width of a column.
func printAligned(text string, width int) error {
	w := tabwriter.NewWriter(os.Stdout, width, 0, 2, ' ', 0)
	_, err := io.WriteString(w, text)
	return errors.Join(err, w.Flush())
}

type limitsCommand struct {
	oneAccount

	MaxTeams              limitFlag `help:"The largest number of teams, or none for no limit." placeholder:"N" env:"-"`
	MaxMembersPerTeam     limitFlag `help:"The largest number of members of a team, or none." placeholder:"N" env:"-"`
	MaxPendingInvitations limitFlag `help:"The largest number of open invitations, or none." placeholder:"N" env:"-"`
	MultiUser             boolFlag  `help:"Whether it may have more than one user: true or false." placeholder:"BOOL" env:"-"`
}

// Run changes the limits that were given, and prints them.
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

// limitFlag is the value of a flag for a limit; to is nil without the flag. It has a
// decoder of its own, because kong would read a negative number as a flag.
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

// boolFlag is the value of an optional flag; to is nil without the flag. The value may be
// separated by a space.
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

// behind returns the argument after a flag. It is empty at the end of the line.
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

// Run suspends the account. A suspended account stays suspended.
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

// Run ends the suspension of the account. An active account stays active.
func (c *resumeCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *roster.Operator) error {
		if err := o.Resume(ctx, c.ID); err != nil {
			return err
		}
		fmt.Printf("%s: active\n", c.ID)
		return nil
	})
}
