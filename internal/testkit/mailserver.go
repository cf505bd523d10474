package testkit

import (
	"bufio"
	"context"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// A MailServer can do these instead of a reply.
const (
	MailHang = "hang" // send nothing
	MailDrop = "drop" // close the connection
)

// Letter is a mail that a MailServer has accepted, or was about to accept.
type Letter struct {
	To        string // of the envelope; several are joined by a comma
	MessageID string
	Data      string
}

// MailServer is an SMTP server on loopback (RFC 5321) that can be told to
// behave badly.
type MailServer struct {
	t    testing.TB
	addr string

	mu      sync.Mutex
	replies map[string]string
	talks   map[net.Conn]struct{}
	taken   []Letter
	dropped []Letter
	stop    func()
}

// NewMailServer starts a mail server that accepts everything. It stops with the
// test.
func NewMailServer(t testing.TB) *MailServer {
	t.Helper()
	m := &MailServer{t: t, addr: "127.0.0.1:0", replies: map[string]string{}, talks: map[net.Conn]struct{}{}}
	m.Up()
	t.Cleanup(m.Down)
	return m
}

// URL is the server's address for mail.NewSMTP.
func (m *MailServer) URL() string { return "smtp://" + m.addr }

// Up listens, again on the same port after Down.
func (m *MailServer) Up() {
	m.t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", m.addr)
	if err != nil {
		m.t.Fatal(err)
	}
	m.addr = l.Addr().String()
	var talking sync.WaitGroup
	talking.Go(func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.talks[conn] = struct{}{}
			m.mu.Unlock()
			talking.Go(func() { m.talk(conn) }) // ends with the connection
		}
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stop = func() {
		_ = l.Close() // it may be closed already
		m.HangUp()
		talking.Wait()
	}
}

// Down refuses new connections and closes the open ones.
func (m *MailServer) Down() {
	m.mu.Lock()
	stop := m.stop
	m.mu.Unlock()
	stop()
}

// HangUp closes all open connections.
func (m *MailServer) HangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for conn := range m.talks {
		_ = conn.Close() // it may be closed already
	}
}

// Answer sets the reply to a command: CONNECT, EHLO, MAIL, RCPT, DATA, or END for
// the end of the data. The reply is a line, MailHang or MailDrop; an empty one
// restores the usual reply.
func (m *MailServer) Answer(command, reply string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.replies[command] = reply
}

// Taken are the letters it has accepted, oldest first.
func (m *MailServer) Taken() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Letter{}, m.taken...)
}

// Dropped are the letters it took without a positive reply.
func (m *MailServer) Dropped() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Letter{}, m.dropped...)
}

// answer replies to a command. goOn says whether the usual reply was sent, open
// whether the connection is still usable.
func (m *MailServer) answer(c *textproto.Conn, command, usual string) (goOn, open bool) {
	m.mu.Lock()
	reply := m.replies[command]
	m.mu.Unlock()
	switch reply {
	case "":
		return true, c.PrintfLine("%s", usual) == nil
	case MailDrop:
		return false, false
	case MailHang:
		_, err := c.ReadLine() // nothing comes: the client waits, and hangs up
		return false, err == nil
	default:
		return false, c.PrintfLine("%s", reply) == nil
	}
}

func (m *MailServer) talk(conn net.Conn) {
	c := textproto.NewConn(conn)
	defer func() {
		_ = c.Close() // it may be closed already
		m.mu.Lock()
		delete(m.talks, conn)
		m.mu.Unlock()
	}()
	if _, open := m.answer(c, "CONNECT", "220 mail.test ready"); !open {
		return
	}
	var l Letter
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		command := strings.ToUpper(strings.Fields(line + " ?")[0])
		usual := "250 fine"
		switch command {
		case "MAIL":
			l = Letter{}
		case "RCPT":
			l.To = strings.TrimPrefix(l.To+","+strings.Trim(strings.TrimPrefix(line, "RCPT TO:"), "<>"), ",")
		case "DATA":
			usual = "354 go on"
		case "QUIT":
			usual = "221 bye"
		}
		goOn, open := m.answer(c, command, usual)
		if goOn && open && command == "DATA" {
			open = m.data(c, l)
		}
		if !open || command == "QUIT" {
			return
		}
	}
}

// data reads the letter itself.
func (m *MailServer) data(c *textproto.Conn, l Letter) (open bool) {
	lines, err := c.ReadDotLines()
	if err != nil {
		return false
	}
	l.Data = strings.Join(lines, "\r\n") + "\r\n"
	if head, err := textproto.NewReader(bufio.NewReader(strings.NewReader(l.Data))).ReadMIMEHeader(); err == nil {
		l.MessageID = strings.Trim(head.Get("Message-Id"), "<>")
	}
	// It is kept before the reply, so that a test which sees the effect of the reply
	// finds it.
	m.mu.Lock()
	normal := m.replies["END"] == ""
	if normal {
		m.taken = append(m.taken, l)
	} else {
		m.dropped = append(m.dropped, l)
	}
	m.mu.Unlock()
	_, open = m.answer(c, "END", "250 taken")
	return open
}
