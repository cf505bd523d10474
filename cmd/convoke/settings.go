package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/server"
)

// settings are what serve and demo have in common.
type settings struct {
	Addr             string   `help:"Where to listen." default:"127.0.0.1:8080"`
	PublicURL        string   `help:"Where people reach this server, such as https://team.example.com; links in mails are made from it." name:"public-url" placeholder:"URL"`
	MailFrom         string   `help:"The sender of mails, such as \"Portal <no-reply@example.com>\"." placeholder:"ADDRESS"`
	SecretKey        []string `help:"The key tokens are derived from, at least 32 characters; older keys may follow. Without it one is made and kept beside the data." placeholder:"KEY"`
	SignUp           string   `help:"Who may sign up: open or invite-only." enum:"open,invite-only" default:"open"`
	PersonalAccounts bool     `help:"Give an invited newcomer an account and a default team of his own." default:"true" negatable:""`
	Preset           string   `help:"The roles of new accounts." default:"teams"`
	CORSOrigin       []string `help:"An origin whose pages may call this server, such as https://portal.example.com; repeatable." name:"cors-origin" placeholder:"ORIGIN"`
	LogLevel         string   `help:"What is logged: debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

// config turns the settings into a server's; the caller adds where data and
// mails go.
func (s settings) config() (server.Config, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return server.Config{}, fmt.Errorf("--log-level: %w", err)
	}
	cfg := server.Config{
		Version:          version,
		SignUp:           auth.SignUpPolicy(s.SignUp),
		PersonalAccounts: s.PersonalAccounts,
		Preset:           s.Preset,
		CORSOrigins:      s.CORSOrigin,
		Log:              slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil {
			return cfg, errors.New("--public-url cannot be read; it must be like https://team.example.com")
		}
		cfg.PublicURL = u
	}
	return cfg, nil
}

// listen opens the address, or says what to change.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w): choose another --addr, such as 127.0.0.1:8081", addr, err)
	}
	return l, nil
}
