package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/convoke-dev/convoke/internal/demo"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/server"
)

// demoCommand is convoke demo.
type demoCommand struct {
	settings

	Data string `help:"A folder for all data. Without it, every start of the demo begins with a new sample." type:"path" placeholder:"DIR"`
}

// Run serves the sample until ctx ends.
func (c *demoCommand) Run(ctx context.Context) (err error) {
	data, clean, err := c.folder()
	if err != nil {
		return fmt.Errorf("the folder for the data: %w", err)
	}
	defer func() { err = errors.Join(err, clean()) }()
	keyFile := c.DB + ".key"
	if c.DB == "" {
		c.DB, keyFile = filepath.Join(data, defaultDB), filepath.Join(data, "secret.key")
	}
	c.GraphiQL = true
	limits := server.DefaultRateLimits()
	limits.Client = limit.Rule{} // all requests of a demo may come from one address
	cfg, err := c.config(limits)
	if err != nil {
		return err
	}
	cfg.LoopbackOrigins = true
	if cfg.SecretKeys, err = c.keys(keyFile); err != nil {
		return err
	}
	if c.Mail != "" {
		if cfg.Sender, err = c.sender(cfg.Log); err != nil {
			return err
		}
		return c.serve(ctx, cfg)
	}
	if c.MailFrom == "" {
		c.MailFrom = "Convoke <no-reply@convoke.test>"
	}
	box, err := mail.NewMailbox(filepath.Join(data, "mailbox.jsonl"), c.MailFrom)
	if err != nil {
		return fmt.Errorf("open the mailbox: %w", err)
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	cfg.Sender, cfg.Mailbox = box, box
	return c.serve(ctx, cfg)
}

func (c *demoCommand) serve(ctx context.Context, cfg server.Config) error {
	l, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	if cfg.PublicURL == nil {
		cfg.PublicURL = &url.URL{Scheme: "http", Host: reachable(l.Addr().String())}
	}
	s, err := server.New(ctx, cfg)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	sample, err := s.Seed(ctx)
	if err != nil {
		return errors.Join(err, l.Close(), s.Close())
	}
	announce(cfg.PublicURL, sample)
	return errors.Join(s.Run(ctx, l), s.Close())
}

// reachable returns the address at which this machine reaches a listener. For a listener on
// all addresses that is localhost.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// folder returns the folder for the data. clean removes it at the end if it is temporary.
func (c *demoCommand) folder() (path string, clean func() error, err error) {
	if c.Data != "" {
		return c.Data, func() error { return nil }, os.MkdirAll(c.Data, 0o700)
	}
	path, err = os.MkdirTemp("", "convoke-demo-")
	return path, func() error { return os.RemoveAll(path) }, err
}

func announce(u *url.URL, sample demo.Sample) {
	var b strings.Builder
	fmt.Fprintf(&b, `Convoke demo

  Start      %[1]s/
  GraphiQL   %[1]s/graphiql
  Mailbox    %[1]s/mailbox   (as JSON: %[1]s/mailbox.json)
  GraphQL    %[1]s/graphql
  Schema     %[1]s/schema.graphql

  Account "%[2]s", team "%[3]s" (%[4]s)
`, strings.TrimSuffix(u.String(), "/"), sample.AccountName, sample.TeamName, sample.TeamID)
	for _, p := range sample.People {
		fmt.Fprintf(&b, "  %s\t%s\n", p.Role, p.Email)
	}
	fmt.Fprintf(&b, "  password\t%s\n\nStop with Ctrl-C.\n", sample.Password)
	_ = printAligned(b.String(), 18) // standard output may be closed
}
