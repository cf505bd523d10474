package main

import (
	"context"
	"errors"

	"github.com/convoke-dev/convoke/server"
)

// defaultDrain is longer than load balancers take to notice that a server is not ready.
const defaultDrain = "5s"

// serveCommand is convoke serve.
type serveCommand struct{ settings }

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context) error {
	if c.DB == "" {
		c.DB = defaultDB
	}
	if c.Drain == "" {
		c.Drain = defaultDrain
	}
	cfg, err := c.config(server.DefaultRateLimits())
	if err != nil {
		return err
	}
	if cfg.PublicURL == nil {
		return errors.New("--public-url is missing: give the address at which people reach this server, such as https://team.example.com")
	}
	if cfg.Sender, err = c.sender(cfg.Log); err != nil {
		return err
	}
	if cfg.SecretKeys, err = c.keys(c.DB + ".key"); err != nil {
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
