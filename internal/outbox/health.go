package outbox

import (
	"errors"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
)

const (
	// probeEvery is how often an ill mail server is probed while mails wait.
	probeEvery = 20 * time.Second
	// manyFailed is the number of failed mails from which the server counts as ill.
	// Fewer failures may be due to single recipients.
	manyFailed = 3
)

// health is the state of the mail server, by the attempts of this process. Each failed
// mail backs off, which spares an ill server. health ends this wait for all mails as soon
// as the server is well again.
type health struct {
	mu          sync.Mutex
	failed      map[string]struct{} // jobs since the last success; no more than manyFailed
	unreachable bool                // there was no conversation at all
	probeAt     time.Time
	vain        int // probes in a row that went well while the mail then failed
	trusting    bool
}

// ill records an attempt that failed temporarily.
func (h *health) ill(jobID string, err error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed == nil {
		h.failed = map[string]struct{}{}
		h.probeAt = now.Add(probeEvery)
	}
	if len(h.failed) < manyFailed {
		h.failed[jobID] = struct{}{}
	}
	var reply *mail.Error
	if errors.As(err, &reply) && (reply.Code == 0 || reply.Code == 421) {
		h.unreachable = true
	}
	if h.trusting { // the probe had gone well
		h.trusting = false
		h.vain++
		if !h.serverWide() {
			// The failures are due to recipients: leave each mail to its own back-off.
			h.probeAt = now.Add(backoff(h.vain + 1))
		}
	}
}

func (h *health) serverWide() bool { return h.unreachable || len(h.failed) >= manyFailed }

// well records a mail that was sent. It returns true when the server was ill before: the
// waiting mails can be sent now.
func (h *health) well() (recovered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	recovered = h.serverWide()
	h.forget()
	return recovered
}

// forget resets the state; the caller holds the lock.
func (h *health) forget() {
	h.failed, h.unreachable, h.vain, h.trusting = nil, false, 0, false
}

// idle records that no mail waits.
func (h *health) idle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget()
}

// probe reports whether the server should be probed now, and sets the next time.
func (h *health) probe(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed == nil || now.Before(h.probeAt) {
		return false
	}
	h.probeAt = now.Add(probeEvery)
	return true
}

// trust records that a probe has succeeded and a mail will be tried.
func (h *health) trust() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trusting = true
}
