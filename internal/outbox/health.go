package outbox

import (
	"errors"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
)

const (
	// probeEvery is how often the mail server is asked whether it is well again
	// while mails wait.
	probeEvery = 20 * time.Second
	// manyFailed is from how many mails on a failure is the server's, and not
	// about some recipient.
	manyFailed = 3
)

// health is what the attempts of this process say of the mail server. The
// back-off of each mail keeps the server from being pressed; health sees to it
// that the mails do not wait for it longer than the server was ill.
type health struct {
	mu          sync.Mutex
	failed      map[string]struct{} // jobs since the last success; no more than manyFailed
	unreachable bool                // there was no conversation at all
	probeAt     time.Time
	vain        int // probes in a row that went well while the mail then failed
	trusting    bool
}

// ill notes an attempt that failed for now.
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
			// Some recipient's matter: his mail's own back-off is the better judge.
			h.probeAt = now.Add(backoff(h.vain + 1))
		}
	}
}

func (h *health) serverWide() bool { return h.unreachable || len(h.failed) >= manyFailed }

// well notes a mail that went out, and reports whether the server had been ill:
// then nothing has to wait any more.
func (h *health) well() (recovered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	recovered = h.serverWide()
	h.forget()
	return recovered
}

// forget starts anew; the caller holds the lock.
func (h *health) forget() {
	h.failed, h.unreachable, h.vain, h.trusting = nil, false, 0, false
}

// idle notes that no mail waits.
func (h *health) idle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget()
}

// probe reports whether it is time to ask the server, and sets the next time.
func (h *health) probe(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed == nil || now.Before(h.probeAt) {
		return false
	}
	h.probeAt = now.Add(probeEvery)
	return true
}

// trust notes that a probe went well, and a mail will be tried.
func (h *health) trust() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trusting = true
}
