package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/server"
)

// serveCommand is convoke serve.
type serveCommand struct {
	settings

	DB            string `help:"The database: the path of an SQLite file, or postgres://user:password@host/name." name:"db" default:"convoke.db"`
	Migrate       string `help:"Whether to bring the schema up to date at start: auto or off." enum:"auto,off" default:"auto"`
	Mail          string `help:"How mail goes out: smtp, log (only noted in the log), or none (links are handed over, and trusted)." enum:"smtp,log,none" default:"smtp"`
	SMTPURL       string `help:"The mail server: smtp://user:password@host:587 or smtps://user:password@host:465." name:"smtp-url" placeholder:"URL"`
	GraphiQL      bool   `help:"Serve GraphiQL at /graphiql." name:"graphiql"`
	Introspection bool   `help:"Allow introspection of the schema; on with --graphiql."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if cfg.PublicURL == nil {
		return errors.New("--public-url is missing: say where people reach this server, such as https://team.example.com")
	}
	cfg.Database, cfg.Migrate = c.DB, c.Migrate == "auto"
	cfg.GraphiQL, cfg.Introspection = c.GraphiQL, c.Introspection || c.GraphiQL
	if cfg.Sender, err = c.sender(cfg.Log); err != nil {
		return err
	}
	if cfg.SecretKeys, err = c.keys(); err != nil {
		return err
	}
	s, err := server.New(ctx, cfg)
	if err != nil {
		return err
	}
	l, err := listen(ctx, c.Addr)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	cfg.Log.Info("serving", "addr", l.Addr().String(), "public_url", cfg.PublicURL.String(), "version", version)
	return errors.Join(s.Run(ctx, l), s.Close())
}

func (c *serveCommand) sender(log *slog.Logger) (mail.Sender, error) {
	switch c.Mail {
	case "none":
		log.Warn("there is no mail: invitation links are handed over and trusted as proof of an address, and sign-ups are not verified")
		return nil, nil //nolint:nilnil // no sender is a setting
	case "log":
		log.Warn("mails are only noted in the log; nobody receives them")
		return mail.NewLog(log), nil
	}
	if c.SMTPURL == "" {
		return nil, errors.New("--smtp-url is missing: give smtp://user:password@host:587, or choose --mail=log or --mail=none")
	}
	if c.MailFrom == "" {
		return nil, errors.New("--mail-from is missing: give the sender of mails, such as no-reply@example.com")
	}
	sender, err := mail.NewSMTP(c.SMTPURL, c.MailFrom)
	if err != nil {
		return nil, fmt.Errorf("--smtp-url or --mail-from: %w", err)
	}
	return sender, nil
}

// keys returns the keys that were given, or the one beside the SQLite file.
func (c *serveCommand) keys() ([][]byte, error) {
	if len(c.SecretKey) == 0 && store.IsPostgres(c.DB) {
		return nil, errors.New("--secret-key is missing: with PostgreSQL every server must be given the same key, at least 32 characters")
	}
	return secretKeys(c.SecretKey, c.DB+".key")
}
