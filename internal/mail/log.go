package mail

import (
	"context"
	"log/slog"
)

// Log is a Sender that sends nothing and logs the envelope: recipient,
// subject and Message-ID. It never logs a body, whose links are secrets.
type Log struct {
	logger *slog.Logger
}

// NewLog returns a Log that writes to logger at level info.
func NewLog(logger *slog.Logger) *Log {
	return &Log{logger: logger}
}

// Send logs the message. It fails with an *Error only when the recipient is not a mail
// address.
func (l *Log) Send(ctx context.Context, m Message) error {
	to, err := parseTo(m.To)
	if err != nil {
		return err
	}
	l.logger.InfoContext(ctx, "mail not sent, only logged",
		"to", to, "subject", headerText(m.Subject, maxSubject), "message_id", clean(m.ID, maxAddress))
	return nil
}
