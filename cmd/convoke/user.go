package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/convoke-dev/convoke/internal/person"
	"github.com/convoke-dev/convoke/server"
)

// userCommand is convoke user.
type userCommand struct {
	Export exportCommand `cmd:"" help:"Print everything about a user as JSON."`
	Erase  eraseCommand  `cmd:"" help:"Erase a user: memberships, sessions, address, names and the invitations to them. Logs keep the id."`
}

// oneUser holds the arguments of a command on one user.
type oneUser struct {
	database

	Who string `arg:"" name:"user" help:"The user's address or id."`
}

// operate runs f on the user, and closes the database.
func (u oneUser) operate(ctx context.Context, f func(o *person.Operator, id, email string) error) (err error) {
	address, err := u.address()
	if err != nil {
		return err
	}
	o, err := person.NewOperator(ctx, address, server.Clock(time.Now))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	id, email, err := o.Find(ctx, u.Who)
	if err != nil {
		return err
	}
	return f(o, id, email)
}

type exportCommand struct{ oneUser }

// Run prints the export.
func (c *exportCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *person.Operator, id, _ string) error {
		out := bufio.NewWriter(os.Stdout)
		return errors.Join(o.Export(ctx, id, out), out.Flush())
	})
}

type eraseCommand struct {
	oneUser

	Yes bool `help:"Do it. Without this flag, the command only says whom it would erase." env:"-"`
}

// Run erases the user.
func (c *eraseCommand) Run(ctx context.Context) error {
	return c.operate(ctx, func(o *person.Operator, id, email string) error {
		if !c.Yes {
			return fmt.Errorf("this would erase %s (%s), which cannot be undone: add --yes", email, id)
		}
		if err := o.Erase(ctx, id); err != nil {
			return err
		}
		_, err := fmt.Printf("erased %s\n", id)
		return err
	})
}
