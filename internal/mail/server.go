package mail

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// server is a parsed mail server URL.
type server struct {
	implicitTLS    bool
	host, port     string
	user, password string
	loopback       bool // mail without TLS is allowed to loopback only
}

// parseServer parses a mail server URL. It does not wrap the error of url.Parse, because
// that repeats the URL with its password.
func parseServer(rawURL string) (server, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return server{}, errors.New("mail server URL cannot be read; write it as smtp://user:password@host:587 " +
			"and percent-encode special characters in user and password (@ is %40, / is %2F, # is %23, % is %25)")
	}
	srv := server{host: u.Hostname(), port: u.Port(), user: u.User.Username()}
	srv.password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
		srv.port = cmp.Or(srv.port, "587")
	case "smtps":
		srv.implicitTLS = true
		srv.port = cmp.Or(srv.port, "465")
	default:
		return server{}, errors.New("mail server URL must begin with smtp:// (STARTTLS) or smtps:// (TLS from the first byte)")
	}
	if _, err := netip.ParseAddr(srv.host); err != nil && strings.Contains(srv.host, ":") {
		return server{}, errors.New("mail server URL has more than one port, or an IPv6 address without brackets; write it as smtp://[2001:db8::1]:587")
	}
	srv.loopback = srv.host == "localhost" || net.ParseIP(srv.host).IsLoopback()
	return srv, srv.check(u)
}

func (s server) check(u *url.URL) error {
	port, err := strconv.Atoi(s.port)
	switch {
	case s.host == "":
		return errors.New("mail server URL names no host; write it as smtp://user:password@host:587")
	case strings.ContainsFunc(s.host, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("mail server URL has a host name with characters beyond ASCII; write it in its xn-- form")
	case err != nil || port < 1 || port > 65535:
		return errors.New("mail server URL has a port that is not between 1 and 65535")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("mail server URL must end after the port; percent-encode special characters in user and password " +
			"(@ is %40, / is %2F, ? is %3F, # is %23)")
	case (s.user == "") != (s.password == ""):
		return errors.New("mail server URL needs both a user and a password, or neither")
	case strings.ContainsAny(s.user+s.password, "\x00\r\n"):
		return errors.New("mail server URL has a line break or a NUL in user or password")
	case s.port == "465" && !s.implicitTLS:
		return errors.New("mail server port 465 speaks TLS from the first byte; write smtps:// instead of smtp://")
	case s.port == "587" && s.implicitTLS:
		return errors.New("mail server port 587 turns to TLS with STARTTLS; write smtp:// instead of smtps://")
	}
	return nil
}

func (s server) address() string { return net.JoinHostPort(s.host, s.port) }

// String is the URL without the credentials.
func (s server) String() string {
	if s.implicitTLS {
		return "smtps://" + s.address()
	}
	return "smtp://" + s.address()
}

// secrets returns pairs for a strings.Replacer: the forms of the password that a server
// could repeat, plain and as sent by AUTH (RFC 4616).
func (s server) secrets() []string {
	if s.password == "" {
		return nil
	}
	encode := base64.StdEncoding.EncodeToString
	return []string{
		encode([]byte("\x00" + s.user + "\x00" + s.password)), "***",
		encode([]byte(s.password)), "***",
		s.password, "***",
	}
}
