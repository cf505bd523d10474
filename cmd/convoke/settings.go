package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/server"
)

// settings are the flags of serve and demo.
type settings struct {
	Addr             string   `help:"The address to listen on." default:"127.0.0.1:8080"`
	PublicURL        string   `help:"The address at which people reach this server, such as https://team.example.com. Links in mails begin with it." name:"public-url" placeholder:"URL"`
	MailFrom         string   `help:"The sender of mails, such as \"Portal <no-reply@example.com>\"." placeholder:"ADDRESS"`
	MailReplyTo      string   `help:"Where replies to mails go: none (to the sender), inviter (of an invitation, whose address its addressee then sees), or an address." default:"none" placeholder:"WHERE"`
	SecretKey        []string `help:"The key that tokens are derived from, at least 32 characters; older keys may follow. Without it, a key is created and stored beside the data." placeholder:"KEY"`
	SignUp           string   `help:"Who may sign up: open or invite-only." enum:"open,invite-only" default:"open"`
	PersonalAccounts bool     `help:"Give an invited newcomer an account and a default team of their own." default:"true" negatable:""`
	ForgetAfter      days     `help:"After how many days the addresses, names and notes of ended invitations are forgotten; 0 keeps them. At least 30." default:"90" placeholder:"DAYS"`
	Preset           string   `help:"The roles of new accounts: teams, departments, portal, holder, or a preset of --catalogue." default:"teams"`
	Catalogue        []string `help:"A YAML file that adds permissions and presets to the built-in ones; repeatable." placeholder:"FILE"`
	CORSOrigin       []string `help:"An origin whose pages may call this server, such as https://portal.example.com; repeatable. The demo also accepts every loopback origin." name:"cors-origin" placeholder:"ORIGIN"`
	Documents        []string `help:"A JSON manifest of documents that clients may name by their hash, as relay-compiler and graphql-codegen write it; repeatable." placeholder:"FILE"`
	DocumentsOnly    bool     `help:"Refuse every document that is in no manifest of --documents."`
	DB               string   `help:"The database: the path of an SQLite file, or postgres://user:password@host/name. By default a file convoke.db, for the demo in its data folder." name:"db" placeholder:"DB"`
	Migrate          string   `help:"Whether to bring the schema up to date at the start: auto or off." enum:"auto,off" default:"auto"`
	UpgradeBackup    bool     `help:"Back up an SQLite file beside it before its schema is changed." default:"true" negatable:""`
	Mail             string   `help:"How mail is sent: smtp, log (only written to the log), or none (links are handed over and trusted). The default is smtp; for the demo, its mailbox." enum:",smtp,log,none" default:"" placeholder:"HOW"`
	MailTemplates    string   `help:"A folder with templates that replace the built-in mail templates." placeholder:"DIR"`
	SMTPURL          string   `help:"The mail server: smtp://user:password@host:587 or smtps://user:password@host:465." name:"smtp-url" placeholder:"URL"`
	MailHookSecret   string   `help:"The secret with which a mail provider reports bounces to /hooks/mail, at least 16 characters. Without it, there is no hook." placeholder:"SECRET"`
	OIDCIssuer       string   `help:"The issuer of your OpenID Connect provider, such as https://login.example.com/realm. With it, existing users can sign in by that provider." name:"oidc-issuer" placeholder:"URL"`
	OIDCClientID     string   `help:"The client id of this server at that provider." name:"oidc-client-id" placeholder:"ID"`
	OIDCClientSecret string   `help:"The client secret of this server at that provider; none for a public client." name:"oidc-client-secret" placeholder:"SECRET"`
	RateLimits       []string `help:"Changes the rate limits: NAME=N/TIME, such as inviter=600/1h, or NAME=off, for client, sign-in, sign-in-address, inviter, account, recipient, mail, mail-day; off removes all limits." placeholder:"LIMIT"`
	Operations       int      `help:"How many operations run at once on this server. A user has a quarter of them, an account and a client address half. The others wait for up to 5 seconds." default:"32"`
	StreamsPerUser   int      `help:"How many WebSockets and event streams a user may have open on this server." default:"100"`
	StreamsPerAddr   int      `help:"How many WebSockets and event streams of visitors who are not signed in a client address may have open on this server." name:"streams-per-address" default:"50"`
	TrustedProxy     []string `help:"The address or network of a reverse proxy whose X-Forwarded-For header is used, such as 10.0.0.0/8; repeatable." placeholder:"NETWORK"`
	GraphiQL         bool     `help:"Serve GraphiQL at /graphiql; on in the demo." name:"graphiql"`
	Introspection    bool     `help:"Allow introspection of the schema; on with --graphiql."`
	Drain            string   `help:"How long a server that was told to stop goes on answering, while /readyz says 503; 5s, in the demo 0s." placeholder:"DURATION"`
	LogLevel         string   `help:"The lowest level that is logged: debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

// days is a flag with a number of days: 0, or at least shortestRetention.
type days time.Duration

// shortestRetention is the longest time that an invitation can be open, in days.
const shortestRetention = 30

// UnmarshalText reads the number.
func (d *days) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n != 0 && n < shortestRetention || n > 36_500 {
		return fmt.Errorf("%q is neither 0 nor a number of days from %d on", text, shortestRetention)
	}
	*d = days(time.Duration(n) * 24 * time.Hour)
	return nil
}

// networks parses addresses and networks.
func networks(list []string) ([]netip.Prefix, error) {
	found := make([]netip.Prefix, len(list))
	for i, s := range list {
		p, err := netip.ParsePrefix(s)
		if addr, bad := netip.ParseAddr(s); bad == nil {
			p, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", s)
		}
		found[i] = p
	}
	return found, nil
}

// config converts the settings to a server's, except for the sender of mails and the keys.
// limits are the defaults, which --rate-limits changes.
func (s *settings) config(limits server.RateLimits) (server.Config, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return server.Config{}, fmt.Errorf("--log-level: %w", err)
	}
	cfg := server.Config{
		Version:          version,
		Database:         s.DB,
		Migrate:          s.Migrate == "auto",
		NoUpgradeBackup:  !s.UpgradeBackup,
		GraphiQL:         s.GraphiQL,
		Introspection:    s.Introspection || s.GraphiQL,
		SignUp:           auth.SignUpPolicy(s.SignUp),
		PersonalAccounts: s.PersonalAccounts,
		ForgetAfter:      time.Duration(s.ForgetAfter),
		Preset:           s.Preset,
		Catalogue:        s.Catalogue,
		MailHookSecret:   s.MailHookSecret,
		MailTemplates:    s.MailTemplates,
		CORSOrigins:      s.CORSOrigin,
		Documents:        s.Documents,
		DocumentsOnly:    s.DocumentsOnly,
		Operations:       s.Operations,
		StreamsPerUser:   s.StreamsPerUser,
		OIDC:             server.OIDC{Issuer: s.OIDCIssuer, ClientID: s.OIDCClientID, ClientSecret: s.OIDCClientSecret},
		Log:              slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	cfg.StreamsPerAddress = s.StreamsPerAddr
	if s.Operations < 1 || s.StreamsPerUser < 1 || s.StreamsPerAddr < 1 {
		return cfg, errors.New("--operations, --streams-per-user and --streams-per-address must be at least 1")
	}
	var err error
	if s.Drain != "" {
		if cfg.Drain, err = time.ParseDuration(s.Drain); err != nil || cfg.Drain < 0 {
			return cfg, errors.New("--drain must be a time such as 5s or 1m30s, or 0s")
		}
	}
	if cfg.TrustedProxies, err = networks(s.TrustedProxy); err != nil {
		return cfg, fmt.Errorf("--trusted-proxy: %w", err)
	}
	if cfg.ReplyTo, err = server.ParseReplyTo(s.MailReplyTo); err != nil {
		return cfg, fmt.Errorf("--mail-reply-to: %w", err)
	}
	if cfg.RateLimits, err = limits.With(s.RateLimits...); err != nil {
		return cfg, fmt.Errorf("--rate-limits: %w", err)
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

// sender returns the sender of mails, or nil for --mail=none.
func (s *settings) sender(log *slog.Logger) (mail.Sender, error) {
	switch s.Mail {
	case "none":
		log.Warn("no mail is sent: invitation links are handed over and trusted as proof of an address, and sign-ups are not verified")
		return nil, nil //nolint:nilnil // no sender is a setting
	case "log":
		log.Warn("mails are only written to the log; nobody receives them")
		return mail.NewLog(log), nil
	}
	if s.SMTPURL == "" {
		return nil, errors.New("--smtp-url is missing: give smtp://user:password@host:587, or choose --mail=log or --mail=none")
	}
	if s.MailFrom == "" {
		return nil, errors.New("--mail-from is missing: give the sender of mails, such as no-reply@example.com")
	}
	sender, err := mail.NewSMTP(s.SMTPURL, s.MailFrom)
	if err != nil {
		return nil, fmt.Errorf("--smtp-url or --mail-from: %w", err)
	}
	return sender, nil
}

// keys returns the keys that were given, or the key in the file beside the data.
func (s *settings) keys(file string) ([][]byte, error) {
	if err := store.CheckAddress(s.DB); err != nil {
		return nil, fmt.Errorf("--db: %w", err)
	}
	if len(s.SecretKey) == 0 && store.IsPostgres(s.DB) {
		return nil, errors.New("--secret-key is missing: with PostgreSQL every server must be given the same key, at least 32 characters")
	}
	return secretKeys(s.SecretKey, file)
}

// listen listens on the address. Its error says what to change.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w): choose another --addr, such as 127.0.0.1:8081", addr, err)
	}
	return l, nil
}
