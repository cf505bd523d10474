// Package server is the composition root: it builds everything, serves it
// over HTTP, and owns the start and the stop.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/net/idna"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/demo"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/live"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/person"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	// productName is the product's name in mails.
	productName = "Convoke"
	// sweepEvery is how late the event of an expiry is logged and pushed. The
	// expiry itself takes effect on time, without the sweep.
	sweepEvery = 2 * time.Second
	// maxHeader is the largest size of a request's URL and headers, in bytes.
	maxHeader = 32 << 10
	// lastSweepWithin limits the sweep when the server stops.
	lastSweepWithin = 5 * time.Second
	// stopWithin is how long running requests may take to finish when the server
	// stops.
	stopWithin = 10 * time.Second
)

// Server is a built server.
type Server struct {
	Store   *store.Store
	Auth    *auth.Service
	Invites *invite.Service
	Roster  *roster.Service

	claim    *store.Claim
	cfg      Config
	now      func() time.Time
	log      *slog.Logger
	hub      *event.Hub
	live     *live.Service
	people   *person.Service
	notifier *event.Notifier // nil on SQLite, where there is only one node
	worker   *outbox.Worker
	resolver *graph.Resolver
	streams  *stream.Streams
	present  graphql.ErrorPresenterFunc
	handler  http.Handler
	refused  origins
	// documents are those that clients may name by an id.
	documents *trusted

	perClient *limit.Bucket

	gate    *limit.Gate
	places  limit.Places // of streams: see place
	unread  limit.Places // bytes of responses: see keepUnread
	exports limit.Places // running exports, by user

	readiness readiness
	draining  atomic.Bool
	sockets   *graphqlws.Transport
	workers   sync.WaitGroup
}

// New opens the database and builds a server on it. Nothing runs before Work
// or Run. The caller closes it.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	documents, err := readDocuments(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	catalogue, err := access.NewCatalogue(cfg.Catalogue...)
	if err != nil {
		return nil, err
	}
	preset, err := catalogue.Preset(cfg.Preset)
	if err != nil {
		return nil, err
	}
	tokens, err := token.NewDeriver(cfg.SecretKeys...)
	if err != nil {
		return nil, err
	}
	templates, err := cfg.templates()
	if err != nil {
		return nil, err
	}
	st, claim, err := openDatabase(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{Store: st, claim: claim, cfg: cfg, now: Clock(cfg.Now), log: cfg.Log, documents: documents}
	err = s.build(catalogue, preset, tokens, templates)
	if err == nil {
		err = s.Auth.SettleProofs(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close(), claim.Release())
	}
	return s, nil
}

// openDatabase claims the database for this server, brings its schema up to date if that is
// wanted, and opens it.
func openDatabase(ctx context.Context, cfg Config) (st *store.Store, claim *store.Claim, err error) {
	if claim, err = store.NewClaim(cfg.Database); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, claim.Release())
		}
	}()
	if cfg.Migrate {
		applied, err := store.Upgrade{
			NoBackup: cfg.NoUpgradeBackup, Claim: claim,
			BackedUp: func(path string) { cfg.Log.Info("backed up the database before its upgrade", "file", path) },
		}.Migrate(ctx, cfg.Database)
		if err != nil {
			return nil, nil, err
		}
		if len(applied) > 0 {
			cfg.Log.Info("migrated", "files", applied)
		}
	}
	if err := store.CheckMigrated(ctx, cfg.Database); err != nil {
		return nil, nil, err
	}
	st, err = store.Open(ctx, cfg.Database, append([]store.Option{store.Log(cfg.Log)}, cfg.StoreOptions...)...)
	return st, claim, err
}

func (s *Server) build(catalogue *access.Catalogue, preset access.Preset, tokens *token.Deriver, templates *mail.Templates) error {
	hasher, err := auth.NewHasher(s.cfg.PasswordCost)
	if err != nil {
		return err
	}
	noMail := s.cfg.Sender == nil
	loader := access.NewLoader(catalogue, s.Store.Changes(), s.now)
	s.hub = event.NewHub(s.Store.Read(), s.log)
	var others []func(string)
	if s.Store.Postgres() {
		s.notifier = event.NewNotifier(s.cfg.Database, token.Random("")[:16], s.hub, s.log)
		others = append(others, s.notifier.Publish)
	}
	events := event.NewLog(s.hub, s.now, others...)
	limits, err := s.limits()
	if err != nil {
		return err
	}
	queue := outbox.NewQueue(s.now)
	door := &act.Door{Store: s.Store, Access: loader, Events: events}
	s.Roster = &roster.Service{
		Store: s.Store, Door: door, Access: loader, Preset: preset, Events: events, Now: s.now,
		// A closure, because s.Invites is built later: it needs the roster itself.
		Departing: func(ctx context.Context, tx *store.Tx, d roster.Departure) error { return s.Invites.Depart(ctx, tx, d) },
		Withdrawn: func(ctx context.Context, tx *store.Tx, ended ...*ent.Invitation) error {
			return s.Invites.NoteUnanswered(ctx, tx, ended...)
		},
	}
	s.Auth = &auth.Service{
		Log:   s.log,
		Store: s.Store, Access: loader, Events: events, Outbox: queue, Roster: s.Roster, Tokens: tokens,
		Hasher: hasher, Now: s.now, Policy: s.cfg.SignUp, NoMail: noMail,
		Sessions: access.NewCache[string, auth.Known](s.Store.Changes(), s.now),
		Limits:   auth.Limits{PerClient: limits.signIn, PerAddress: limits.signInAddress, Mails: limits.mail, MailsOfDay: limits.mailDay},
	}
	ssoURL := s.singleSignOn()
	s.live = live.New(s.Auth, s.hub)
	s.Invites = &invite.Service{
		Store: s.Store, Door: door, Access: loader, Events: events, Outbox: queue, Auth: s.Auth, Roster: s.Roster, Tokens: tokens,
		PublicURL: s.cfg.PublicURL, Now: s.now, PersonalAccounts: s.cfg.PersonalAccounts, NoMail: noMail,
		PerInviter: limits.inviter, PerAccount: limits.account, PerRecipient: limits.recipient, ForgetAfter: s.cfg.ForgetAfter,
	}
	s.people = &person.Service{Store: s.Store, Roster: s.Roster, Invites: s.Invites, Now: s.now}
	if !noMail {
		toUsers := &auth.Composer{Store: s.Store, Tokens: tokens, Templates: templates, Now: s.now}
		s.worker = &outbox.Worker{
			Store: s.Store, Queue: queue, Sender: s.cfg.Sender, MailHost: mailHost(s.cfg.PublicURL), ReplyTo: s.cfg.ReplyTo.Address, Now: s.now, Log: s.log,
			Composers: map[string]outbox.Composer{
				invite.MailInvitation: &invite.Composer{
					Store: s.Store, Events: events, Tokens: tokens, Templates: templates, Now: s.now, ReplyToInviter: s.cfg.ReplyTo.Inviter,
				},
				auth.MailVerification:      toUsers,
				auth.MailAlreadyRegistered: toUsers,
				auth.MailReset:             toUsers,
				auth.MailConfirmOldAddress: toUsers,
				auth.MailConfirmNewAddress: toUsers,
				auth.MailAddressTaken:      toUsers,
			},
		}
	}
	s.resolver = &graph.Resolver{
		Store: s.Store, Access: loader, Auth: s.Auth, Invites: s.Invites, Roster: s.Roster, Live: s.live, People: s.people, Now: s.now,
		Info: model.ServerInfo{
			Version: s.cfg.Version, SignUp: signUpPolicy(s.cfg.SignUp), PasswordMinLength: auth.MinPassword,
			RolePresets: catalogue.PresetKeys(), Graphiql: s.cfg.GraphiQL, SsoURL: ssoURL,
		},
	}
	s.present = graph.PresentErrors(s.log, s.cfg.Introspection)
	s.streams = &stream.Streams{Present: s.present, Now: s.now, Shared: graph.SharedFields, Bound: bounded, Turn: s.nextTurn}
	s.perClient = limits.client
	s.gate = newGate(s.cfg.Operations)
	s.readiness.write, s.readiness.away = s.Store.Ready, s.Store.Away
	s.sockets = s.newSockets()
	s.handler, err = s.routes()
	return err
}

// mailHost returns the part of Message-IDs after the @: the public host in ASCII,
// or a name that exists nowhere when the public host is an IP address.
func mailHost(u *url.URL) string {
	if host, err := idna.Lookup.ToASCII(u.Hostname()); err == nil && net.ParseIP(u.Hostname()) == nil && host != "" {
		return host
	}
	return "convoke.invalid"
}

func signUpPolicy(p auth.SignUpPolicy) model.SignUpPolicy {
	if p == auth.Open {
		return model.SignUpPolicyOpen
	}
	return model.SignUpPolicyInviteOnly
}

// Streams returns the number of open subscriptions.
func (s *Server) Streams() int { return s.live.Streams() }

// Seed makes the demo's sample account, or reads it where it exists.
func (s *Server) Seed(ctx context.Context) (demo.Sample, error) {
	seeder := &demo.Seeder{Store: s.Store, Auth: s.Auth, Roster: s.Roster, Invites: s.Invites, Now: s.now}
	if s.cfg.Mailbox != nil {
		seeder.Deliver = s.worker.Drain
	}
	return seeder.Seed(ctx)
}

// Handler serves HTTP. Mails and live updates need Work to run.
func (s *Server) Handler() http.Handler { return s.handler }

// Work runs the background goroutines: the event hub, the notifier, the watches of
// sessions, the mail worker and the sweep. They end when ctx ends; Work returns when
// all have ended.
func (s *Server) Work(ctx context.Context) {
	s.workers.Go(func() { s.hub.Run(ctx) })
	if s.notifier != nil {
		s.workers.Go(func() { s.notifier.Run(ctx) })
	}
	s.workers.Go(func() { s.live.Run(ctx) })
	s.workers.Go(func() { s.Store.Watch(ctx) })
	s.workers.Go(func() { s.sweep(ctx) })
	s.workers.Go(func() { s.watchSessions(ctx) })
	if s.worker != nil {
		s.workers.Go(func() { s.worker.Run(ctx) })
	}
	s.workers.Wait()
}

// sweep ends what has expired and forgets what is old, until ctx ends, and then once more:
// what was refused as expired stays so, should the clock be set back before the next start.
func (s *Server) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSweepWithin)
			defer cancel()
			s.sweepOnce(last)
			return
		case <-tick.C:
			s.sweepOnce(ctx)
		}
	}
}

func (s *Server) sweepOnce(ctx context.Context) {
	err := errors.Join(s.Invites.Sweep(ctx), s.Invites.ForgetOld(ctx), s.Roster.ExpireTransfers(ctx), s.Auth.Purge(ctx), idempotency.Purge(ctx, s.Store, s.now()))
	if err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
		s.log.Error("sweep", "error", err)
	}
}

// Run serves on the listener until ctx ends, then stops in order: clients are asked to
// leave (see Config.Drain), no new requests, running ones finish, streams end, workers end.
// Close comes after.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	worked := make(chan struct{})
	go func() { // ends with stopWork
		defer close(worked)
		s.Work(working)
	}()
	web := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    maxHeader - 8<<10, // net/http allows up to 8 KiB more, as its buffer happens to be filled
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }() // ends with Shutdown
	select {
	case err := <-served:
		stopWork()
		<-worked
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.drain()
	s.log.Info("stopping")
	closed := s.endStreams(stopWithin)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := web.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests did not finish in time and were aborted")
		err = web.Close()
	}
	<-closed
	stopWork()
	<-worked
	return err
}

// Close closes the remaining WebSockets, and then the database.
func (s *Server) Close() error {
	<-s.endStreams(0)
	return errors.Join(s.Store.Close(), s.claim.Release()) // in this order: see store.NewClaim
}

// endStreams ends every subscription and closes the WebSockets. Each is closed when
// its queries and mutations have finished, but at the latest after within. The
// channel is closed when all WebSockets have ended.
func (s *Server) endStreams(within time.Duration) (closed <-chan struct{}) {
	s.draining.Store(true)
	closed = s.sockets.Stop(within)
	s.hub.Stop()
	return closed
}
