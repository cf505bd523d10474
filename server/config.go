package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/alexedwards/argon2id"
	"golang.org/x/net/idna"

	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/store"
)

// minHookSecret is the smallest length of a hook's secret, in bytes. A random secret
// of 128 bits in hexadecimal is twice as long.
const minHookSecret = 16

// Config holds all settings of a server.
type Config struct {
	Version string
	// Database is a postgres:// URL or the path of an SQLite file.
	Database string
	// Migrate brings the schema up to date at start.
	Migrate bool
	// NoUpgradeBackup leaves out the backup of an SQLite file before its schema is changed.
	NoUpgradeBackup bool
	// PublicURL is the address at which people reach the server. All links in mails
	// begin with it.
	PublicURL *url.URL
	// Sender sends mail. When it is nil, no mail is sent, and having a link counts
	// as proof of an address.
	Sender mail.Sender
	// ReplyTo is where replies to mails go. With the zero value mails have no Reply-To, so
	// replies go to the sender's address.
	ReplyTo ReplyTo
	// MailHookSecret is the secret of at least 16 characters with which a mail
	// provider reports bounces at /hooks/mail. When it is empty, there is no hook.
	MailHookSecret string
	// MailTemplates is a folder with files that replace the built-in mail templates;
	// empty when nothing is replaced.
	MailTemplates string
	// Mailbox, when set, is shown at /mailbox. Only the demo has one.
	Mailbox *mail.Mailbox
	// SecretKeys derive the tokens in mails: the current key, then older ones.
	SecretKeys       [][]byte
	SignUp           auth.SignUpPolicy
	PersonalAccounts bool
	// ForgetAfter is how long the address of an invitation that has ended is kept; zero
	// keeps it for ever.
	ForgetAfter time.Duration
	// Preset names the roles of new accounts.
	Preset string
	// Catalogue lists files that add permissions and presets.
	Catalogue []string
	// CORSOrigins are the origins of dashboards that are served elsewhere, such as
	// https://portal.example.
	CORSOrigins []string
	// LoopbackOrigins lets pages of every port of this machine call the server, such as
	// those of a development server. Only the demo does.
	LoopbackOrigins bool
	// Documents are files with manifests of documents that clients may name by an id.
	Documents []string
	// DocumentsOnly refuses every document that is in no manifest.
	DocumentsOnly bool
	// TrustedProxies are the networks of proxies whose X-Forwarded-For header is used.
	TrustedProxies []netip.Prefix
	// OIDC is the identity provider; the zero value means that there is none.
	OIDC OIDC
	// RateLimits; the zero value limits nothing.
	RateLimits RateLimits
	// Operations is how many operations may run at once on this server; zero is 32.
	Operations int
	// StreamsPerUser is how many WebSockets and event streams a user may have open on
	// this server; zero is 100. StreamsPerAddress is the same for a client address, and
	// for visitors who are not signed in; zero is 50.
	StreamsPerUser    int
	StreamsPerAddress int
	// Drain is how long a server that stops goes on answering, while /readyz says that it
	// stops.
	Drain         time.Duration
	GraphiQL      bool
	Introspection bool

	Log *slog.Logger
	// Now is the clock; nil is the system's, in UTC.
	Now func() time.Time
	// limitClock is the clock of the rate limits.
	limitClock func() time.Time
	// PasswordCost is the cost of a password hash; zero is auth.Params.
	PasswordCost argon2id.Params
	// StoreOptions are for tests.
	StoreOptions []store.Option
}

// ReplyTo is where replies to mails go: nowhere else than to the sender, to the inviter for
// invitations, or to an address for all mails.
type ReplyTo struct {
	Inviter bool
	Address string
}

// ParseReplyTo reads none, inviter or an address. The empty text is none. The address must be
// one that every mail server accepts in a header: its part before the @ is in ASCII.
func ParseReplyTo(s string) (ReplyTo, error) {
	switch s = strings.TrimSpace(s); s {
	case "", "none":
		return ReplyTo{}, nil
	case "inviter":
		return ReplyTo{Inviter: true}, nil
	}
	parsed, invalid := address.Parse(s)
	local, _, _ := strings.Cut(parsed.Typed, "@")
	if invalid != nil || strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }) {
		return ReplyTo{}, fmt.Errorf("%q is neither none, inviter nor an address such as help@example.com", s)
	}
	return ReplyTo{Address: parsed.Typed}, nil
}

// OIDC is an OpenID Connect provider, with the client id and secret of this server.
type OIDC struct {
	// Issuer is the provider's URL, exactly as the provider writes it in its tokens.
	Issuer   string
	ClientID string
	// ClientSecret is empty for a public client.
	ClientSecret string
}

// check refuses an incomplete provider, and one without TLS, whose responses somebody
// on the network could change.
func (o OIDC) check() error {
	switch {
	case o == OIDC{}:
		return nil
	case o.Issuer == "":
		return errors.New("the issuer of OpenID Connect is missing: a client id or secret needs one")
	case o.ClientID == "":
		return errors.New("the client id of OpenID Connect is missing: the issuer needs it to identify this server")
	}
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("the issuer of OpenID Connect must be like https://login.example.com/realm: https, or http on loopback, and no query")
	}
	return nil
}

// check sets the defaults, and returns an error for invalid settings that says what to
// change.
func (c *Config) check() error {
	var err error
	if c.PublicURL, err = publicURL(c.PublicURL); err != nil {
		return err
	}
	if err := store.CheckAddress(c.Database); err != nil {
		return err
	}
	if !slices.Contains([]auth.SignUpPolicy{auth.Open, auth.InviteOnly}, c.SignUp) {
		return fmt.Errorf("sign-up is either %s or %s, not %q", auth.Open, auth.InviteOnly, c.SignUp)
	}
	if n := len(c.MailHookSecret); n > 0 && n < minHookSecret {
		return fmt.Errorf("the secret of the mail hook must have at least %d characters", minHookSecret)
	}
	if c.Operations < 0 || c.StreamsPerUser < 0 || c.StreamsPerAddress < 0 {
		return errors.New("the numbers of operations and of streams must be at least 1")
	}
	if err := c.OIDC.check(); err != nil {
		return err
	}
	for _, o := range c.CORSOrigins {
		if !isOrigin(o) {
			return fmt.Errorf("the CORS origin %q must be as browsers write it, like https://portal.example.com: lower case, no path, no *, no default port", o)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.limitClock = c.Now
	if c.Now == nil {
		c.Now, c.limitClock = time.Now, ticks()
	}
	if c.Operations == 0 {
		c.Operations = operations
	}
	if c.StreamsPerUser == 0 {
		c.StreamsPerUser = streamsPerUser
	}
	if c.StreamsPerAddress == 0 {
		c.StreamsPerAddress = streamsPerAddress
	}
	if c.PasswordCost == (argon2id.Params{}) {
		c.PasswordCost = auth.Params
	}
	return nil
}

// publicURL returns the URL with its host as browsers and mail programs write it: in lower
// case, in ASCII, and without the port that goes without saying.
func publicURL(u *url.URL) (*url.URL, error) {
	if u == nil || u.Host == "" {
		return nil, errors.New("the public URL must be like https://team.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("the public URL must be scheme and host: no user, no path, no query")
	}
	own := *u
	// A name in ASCII stays as it is: it may contain an underscore, which IDNA refuses.
	if name := u.Hostname(); strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return nil, errors.New("the public URL has a host that is no valid name; try its xn-- form")
		}
		own.Host = strings.Replace(u.Host, name, ascii, 1)
	}
	own.Host = strings.ToLower(own.Host)
	own.Host = withoutPort(&own)
	if !isOrigin(own.Scheme + "://" + own.Host) {
		return nil, errors.New("the public URL must be as browsers write it, like https://team.example.com")
	}
	return &own, nil
}

// templates reads the templates of mails.
func (c *Config) templates() (*mail.Templates, error) {
	if c.MailTemplates == "" {
		return mail.NewTemplates(c.PublicURL, productName, nil)
	}
	t, err := mail.NewTemplates(c.PublicURL, productName, os.DirFS(c.MailTemplates))
	if err != nil {
		return nil, fmt.Errorf("mail templates in %s: %w", c.MailTemplates, err)
	}
	return t, nil
}
