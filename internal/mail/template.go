package mail

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"
)

// Content is a rendered mail: what a Message needs beside its envelope.
type Content struct {
	Subject string
	Text    string
	HTML    string

	link string // what the reader is asked to open
}

// Invitation is what the mail about an invitation tells. The names and the
// note are as users typed them; the mail shows them cleaned and shortened.
type Invitation struct {
	TeamName    string
	AccountName string // left out when it is empty or the team's name
	InviterName string
	InviteeName string   // may be empty
	RoleNames   []string // the first ten are named
	Note        string   // may be empty; line breaks are kept, 500 characters
	ExpiresAt   time.Time
	SentAt      time.Time
	Token       string
}

// Verification is what the mail that confirms an address tells.
type Verification struct {
	Name     string // may be empty
	Token    string
	ValidFor time.Duration
}

// Reset is what the mail that lets its reader set a new password tells.
type Reset struct {
	Name     string // may be empty
	Token    string
	ValidFor time.Duration
}

// AlreadyRegistered is what the owner of an address is told when somebody
// signed up with it again. The person who signed up is told nothing else than
// with a new address.
type AlreadyRegistered struct {
	Name string // may be empty
}

// Templates renders the mails, each as plain text and as HTML. It is safe for
// concurrent use.
type Templates struct {
	base    *url.URL
	product string
	mails   map[string]wording
}

// wording is a mail's templates. The subject is a block of the text.
type wording struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// kind is a mail there is: the name of its files, and how one is rendered
// whose every user-typed value is typed.
type kind struct {
	name   string
	sample func(t *Templates, typed string) (Content, error)
}

// kinds are all mails. A further one needs a line here and its two files.
var kinds = []kind{
	{"invitation", func(t *Templates, typed string) (Content, error) {
		return t.Invitation(Invitation{
			TeamName: typed, AccountName: strings.ToUpper(typed), InviterName: typed, InviteeName: typed, RoleNames: []string{typed, typed}, Note: typed,
			SentAt: sampleTime, ExpiresAt: sampleTime.Add(72 * time.Hour), Token: sampleToken,
		})
	}},
	{"verification", func(t *Templates, typed string) (Content, error) {
		return t.Verification(Verification{Name: typed, Token: sampleToken, ValidFor: 24 * time.Hour})
	}},
	{"registered", func(t *Templates, typed string) (Content, error) {
		return t.AlreadyRegistered(AlreadyRegistered{Name: typed})
	}},
	{"reset", func(t *Templates, typed string) (Content, error) {
		return t.Reset(Reset{Name: typed, Token: sampleToken, ValidFor: time.Hour})
	}},
}

// NewTemplates returns templates whose every link begins with publicURL, an
// absolute http or https address, with or without a path. The product name
// signs the mails. The operator's files, if there are any, replace the built-in
// ones of the same name; the error says what is wrong with which.
func NewTemplates(publicURL *url.URL, productName string, own fs.FS) (*Templates, error) {
	if publicURL == nil || publicURL.Scheme != "https" && publicURL.Scheme != "http" || publicURL.Host == "" {
		return nil, errors.New("public URL must be absolute, for example https://app.example.com")
	}
	if publicURL.User != nil || publicURL.RawQuery != "" || publicURL.Fragment != "" {
		return nil, errors.New("public URL must have no user, query or fragment")
	}
	t := &Templates{base: publicURL.JoinPath(), product: clean(productName, maxName), mails: make(map[string]wording)}
	sources, err := readSources(own)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		var w wording
		if w.text, err = sources.text(k.name); err != nil {
			return nil, err
		}
		if w.html, err = sources.html(k.name); err != nil {
			return nil, err
		}
		t.mails[k.name] = w
		if err := t.try(k); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// page is what every template may use. Link is what the reader is asked to
// open, and the only address in the mail beside Home.
type page struct {
	Product, Home, Subject string
	Name                   string // of the recipient; may be empty
	Link, Action           string
}

func (p *page) common() *page { return p }

// What the templates of each mail may use; docs/operations.md tells operators.
type (
	invitationPage struct {
		page
		Team, Account, Inviter, Roles string
		Note                          []string
		ValidFor, Until               string
	}
	verificationPage struct {
		page
		ValidFor string
	}
	registeredPage struct{ page }
	resetPage      struct {
		page
		ValidFor string
	}
)

// Invitation renders the mail for an invitation, whose link is the public URL
// with /accept#TOKEN. It fails without a token, and unless ExpiresAt is after
// SentAt.
func (t *Templates) Invitation(d Invitation) (Content, error) {
	if d.Token == "" || d.SentAt.IsZero() || !d.ExpiresAt.After(d.SentAt) {
		return Content{}, errors.New("render invitation mail: no token or no time left")
	}
	team, account := name(d.TeamName, "a team"), clean(d.AccountName, maxName)
	if account == team {
		account = ""
	}
	return t.render("invitation", &invitationPage{
		page:     t.page(d.InviteeName, "/accept", d.Token, "View invitation"),
		Team:     team,
		Account:  account,
		Inviter:  name(d.InviterName, "Somebody"),
		Roles:    list(d.RoleNames, 10),
		Note:     cleanNote(d.Note),
		ValidFor: inWords(d.ExpiresAt.Sub(d.SentAt)),
		Until:    d.ExpiresAt.UTC().Format("Monday, 2 January 2006, 15:04 MST"),
	})
}

// Verification renders the mail that confirms an address, whose link is the
// public URL with /verify#TOKEN. It fails without a token or a positive
// ValidFor.
func (t *Templates) Verification(d Verification) (Content, error) {
	if d.Token == "" || d.ValidFor <= 0 {
		return Content{}, errors.New("render verification mail: no token or no time left")
	}
	return t.render("verification", &verificationPage{
		page:     t.page(d.Name, "/verify", d.Token, "Confirm address"),
		ValidFor: inWords(d.ValidFor),
	})
}

// Reset renders the mail that lets its reader set a new password, whose link is
// the public URL with /reset#TOKEN. It fails without a token or a positive
// ValidFor.
func (t *Templates) Reset(d Reset) (Content, error) {
	if d.Token == "" || d.ValidFor <= 0 {
		return Content{}, errors.New("render reset mail: no token or no time left")
	}
	return t.render("reset", &resetPage{
		page:     t.page(d.Name, "/reset", d.Token, "Set a new password"),
		ValidFor: inWords(d.ValidFor),
	})
}

// AlreadyRegistered renders the mail to an address that already has a user.
// Its link is the public URL, to sign in.
func (t *Templates) AlreadyRegistered(d AlreadyRegistered) (Content, error) {
	return t.render("registered", &registeredPage{t.page(d.Name, "", "", "Sign in")})
}

func (t *Templates) page(recipient, path, token, action string) page {
	link := *t.base
	if path != "" {
		link = *t.base.JoinPath(path)
		link.Fragment = token
	}
	return page{Product: t.product, Home: t.base.String(), Name: clean(recipient, maxName), Link: link.String(), Action: action}
}

// render takes data that embeds a page. The subject comes first: the others may
// use it.
func (t *Templates) render(mail string, data interface{ common() *page }) (Content, error) {
	w, p := t.mails[mail], data.common()
	var subject, text, html strings.Builder
	if err := w.text.ExecuteTemplate(&subject, "subject", data); err != nil {
		return Content{}, fmt.Errorf("render the subject of the %s mail: %w", mail, err)
	}
	p.Subject = clean(subject.String(), maxSubject)
	if err := w.text.Execute(&text, data); err != nil {
		return Content{}, fmt.Errorf("render %s mail as text: %w", mail, err)
	}
	if err := w.html.ExecuteTemplate(&html, layout, data); err != nil {
		return Content{}, fmt.Errorf("render %s mail as HTML: %w", mail, err)
	}
	return Content{Subject: p.Subject, Text: strings.TrimSpace(text.String()) + "\n", HTML: strings.TrimSpace(html.String()) + "\n", link: p.Link}, nil
}

// name is a cleaned name, or a word for one of which nothing is left.
func name(typed, otherwise string) string {
	if cleaned := clean(typed, maxName); cleaned != "" {
		return cleaned
	}
	return otherwise
}

// list joins names and says how many it left out.
func list(names []string, limit int) string {
	var shown []string
	for _, typed := range names {
		if cleaned := clean(typed, maxName); cleaned != "" {
			shown = append(shown, cleaned)
		}
	}
	if more := len(shown) - limit; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(shown[:limit], ", "), more)
	}
	return strings.Join(shown, ", ")
}

// inWords is a duration for people, rounded down: the mail gives the exact
// end beside it.
func inWords(d time.Duration) string {
	d = d.Round(time.Minute)
	switch {
	case d >= 4*24*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return "1 minute"
}
