package mail

import (
	"errors"
	"fmt"
	"html"
	htmltemplate "html/template"
	"io/fs"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"
)

// Content is a rendered mail: the parts of a Message except its envelope.
type Content struct {
	Subject string
	Text    string
	HTML    string

	link string // the link that the reader is asked to open
}

// Invitation holds the values of an invitation's mail. The names and the note are as
// users typed them; the mail shows them cleaned and shortened.
type Invitation struct {
	TeamName    string
	AccountName string // left out when it is empty or the team's name
	InviterName string
	InviteeName string   // may be empty
	RoleNames   []string // the mail lists the first ten
	Note        string   // may be empty; line breaks are kept, 500 characters
	ExpiresAt   time.Time
	SentAt      time.Time
	Token       string
}

// Verification holds the values of the mail that confirms an address.
type Verification struct {
	Name     string // may be empty
	Token    string
	ValidFor time.Duration
}

// Reset holds the values of the mail with a link that sets a new password.
type Reset struct {
	Name     string // may be empty
	Token    string
	ValidFor time.Duration
}

// AlreadyRegistered holds the values of the mail to a user whose address somebody signed
// up with again. The person who signed up gets the same response as with a new address.
type AlreadyRegistered struct {
	Name string // may be empty
}

// AddressChange holds the values of the mails about a change of a user's address.
type AddressChange struct {
	Name       string // of the user who has the address that the mail goes to; may be empty
	NewAddress string // masked
	Token      string // empty in the mail to an address that has a user
	ValidFor   time.Duration
}

// Templates renders the mails, each as plain text and as HTML. It is safe for
// concurrent use.
type Templates struct {
	base    *url.URL
	product string
	mails   map[string]wording
}

// wording holds the templates of one mail. The subject is a block of the text.
type wording struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// kind is one kind of mail: the name of its files, and a function that renders a sample
// in which every value from users is typed.
type kind struct {
	name   string
	sample func(t *Templates, typed string) (Content, error)
}

// kinds lists all mails. A new one needs a line here and two files.
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
	{"address_old", func(t *Templates, typed string) (Content, error) {
		return t.ConfirmOldAddress(AddressChange{Name: typed, NewAddress: typed, Token: sampleToken, ValidFor: 24 * time.Hour})
	}},
	{"address_new", func(t *Templates, typed string) (Content, error) {
		return t.ConfirmNewAddress(AddressChange{Name: typed, NewAddress: typed, Token: sampleToken, ValidFor: 24 * time.Hour})
	}},
	{"address_taken", func(t *Templates, typed string) (Content, error) {
		return t.AddressTaken(AddressChange{Name: typed, NewAddress: typed})
	}},
}

// NewTemplates returns templates whose links all begin with publicURL, an absolute http
// or https address, with or without a path. The product's name signs the mails. Files of
// the operator replace the built-in files of the same name; the error says which file is
// wrong and why.
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

// page holds the values that every template may use. Link is the link that the reader is
// asked to open. Besides Home it is the only URL in the mail.
type page struct {
	Product, Home, Subject string
	Name                   string // of the recipient; may be empty
	Link, Action           string
}

func (p *page) common() *page { return p }

// OutlookButton is the button for Outlook on Windows, whose Word engine knows no padding of
// links. Other clients see a comment. html/template removes comments, so it is made here.
func (p *page) OutlookButton() htmltemplate.HTML {
	return htmltemplate.HTML(`<!--[if mso]><v:roundrect xmlns:v="urn:schemas-microsoft-com:vml" xmlns:w="urn:schemas-microsoft-com:office:word" href="` + //nolint:gosec // escaped
		html.EscapeString(p.Link) + `" style="height:48px;v-text-anchor:middle;width:240px;" arcsize="17%" stroke="f" fillcolor="#2456c7"><w:anchorlock/>` +
		`<center style="color:#ffffff;font-family:Arial,sans-serif;font-size:16px;font-weight:bold;">` + html.EscapeString(p.Action) +
		`</center></v:roundrect><![endif]-->`)
}

// NotOutlook and EndNotOutlook enclose what Outlook on Windows does not show.
func (p *page) NotOutlook() htmltemplate.HTML { return "<!--[if !mso]><!-->" }

// EndNotOutlook ends NotOutlook.
func (p *page) EndNotOutlook() htmltemplate.HTML { return "<!--<![endif]-->" }

// The values that the templates of each mail may use. docs/operations.md documents them.
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
	addressPage    struct {
		page
		NewAddress, ValidFor string
	}
	resetPage struct {
		page
		ValidFor string
	}
)

// Invitation renders the mail of an invitation. Its link is the public URL with
// /accept#TOKEN. It fails without a token, and when ExpiresAt is not after SentAt.
func (t *Templates) Invitation(d Invitation) (Content, error) {
	if d.Token == "" || d.SentAt.IsZero() || !d.ExpiresAt.After(d.SentAt) {
		return Content{}, errors.New("render invitation mail: no token or no time left")
	}
	team, account := name(d.TeamName, "a team"), unlinked(clean(d.AccountName, maxName))
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

// Verification renders the mail that confirms an address. Its link is the public URL with
// /verify#TOKEN. It fails without a token or a positive ValidFor.
func (t *Templates) Verification(d Verification) (Content, error) {
	if d.Token == "" || d.ValidFor <= 0 {
		return Content{}, errors.New("render verification mail: no token or no time left")
	}
	return t.render("verification", &verificationPage{
		page:     t.page(d.Name, "/verify", d.Token, "Confirm address"),
		ValidFor: inWords(d.ValidFor),
	})
}

// Reset renders the mail with a link that sets a new password. The link is the public URL
// with /reset#TOKEN. It fails without a token or a positive ValidFor.
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
// Its link is the public URL, where the user can sign in.
func (t *Templates) AlreadyRegistered(d AlreadyRegistered) (Content, error) {
	return t.render("registered", &registeredPage{t.page(d.Name, "", "", "Sign in")})
}

// ConfirmOldAddress renders the mail to the address that a user is going to give up. Its
// link is the public URL with /address#TOKEN. It fails without a token or a positive
// ValidFor.
func (t *Templates) ConfirmOldAddress(d AddressChange) (Content, error) {
	return t.addressChange("address_old", "Confirm the change", d)
}

// ConfirmNewAddress renders the mail to the address that a user is going to have. It
// fails like ConfirmOldAddress.
func (t *Templates) ConfirmNewAddress(d AddressChange) (Content, error) {
	return t.addressChange("address_new", "Confirm address", d)
}

func (t *Templates) addressChange(mail, action string, d AddressChange) (Content, error) {
	if d.Token == "" || d.ValidFor <= 0 {
		return Content{}, fmt.Errorf("render %s mail: no token or no time left", mail)
	}
	return t.render(mail, &addressPage{
		page:       t.page(d.Name, "/address", d.Token, action),
		NewAddress: name(d.NewAddress, "another address"),
		ValidFor:   inWords(d.ValidFor),
	})
}

// AddressTaken renders the mail to a user whose address another user wants to have. The
// person who asked gets the same response as with a free address.
func (t *Templates) AddressTaken(d AddressChange) (Content, error) {
	return t.render("address_taken", &registeredPage{t.page(d.Name, "", "", "Sign in")})
}

func (t *Templates) page(recipient, path, token, action string) page {
	link := *t.base
	if path != "" {
		link = *t.base.JoinPath(path)
		link.Fragment = token
	}
	return page{Product: t.product, Home: t.base.String(), Name: unlinked(clean(recipient, maxName)), Link: link.String(), Action: action}
}

// render renders a mail with data that embeds a page. It renders the subject first,
// because text and HTML may use it.
func (t *Templates) render(mail string, data interface{ common() *page }) (Content, error) {
	w, p := t.mails[mail], data.common()
	var subject, text, page strings.Builder
	if err := w.text.ExecuteTemplate(&subject, "subject", data); err != nil {
		return Content{}, fmt.Errorf("render the subject of the %s mail: %w", mail, err)
	}
	shown := clean(subject.String(), maxSubject)
	p.Subject = unlinked(shown)
	if err := w.text.Execute(&text, data); err != nil {
		return Content{}, fmt.Errorf("render %s mail as text: %w", mail, err)
	}
	if err := w.html.ExecuteTemplate(&page, layout, data); err != nil {
		return Content{}, fmt.Errorf("render %s mail as HTML: %w", mail, err)
	}
	return Content{Subject: shown, Text: wrap(strings.TrimSpace(text.String())) + "\n", HTML: strings.TrimSpace(page.String()) + "\n", link: p.Link}, nil
}

// name returns the cleaned name, or a substitute when nothing is left of it.
func name(typed, otherwise string) string {
	if cleaned := clean(typed, maxName); cleaned != "" {
		return unlinked(cleaned)
	}
	return otherwise
}

// list joins names. It adds how many it has omitted.
func list(names []string, limit int) string {
	var shown []string
	for _, typed := range names {
		if cleaned := clean(typed, maxName); cleaned != "" {
			shown = append(shown, unlinked(cleaned))
		}
	}
	if more := len(shown) - limit; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(shown[:limit], ", "), more)
	}
	return strings.Join(shown, ", ")
}

// inWords returns a duration for people, rounded down. The mail also contains the exact
// end.
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
