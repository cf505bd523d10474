// Command convoke is the team page of a SaaS portal as a ready GraphQL
// backend.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set at release by the linker.
var version = "dev"

// commands is the command line; every flag of it may come from the environment
// too, as CONVOKE_ and its name.
type commands struct {
	Serve   serveCommand     `cmd:"" help:"Serve on real settings."`
	Demo    demoCommand      `cmd:"" help:"Serve a sample account, with its mails shown in a mailbox."`
	Migrate migrateCommand   `cmd:"" help:"Bring a database's schema up to date, and end."`
	Account accountCommand   `cmd:"" help:"What the operator decides about accounts, also while a server runs."`
	Version kong.VersionFlag `help:"Print the version, and end." env:"-"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	var c commands
	k := kong.Parse(&c,
		kong.Name("convoke"),
		kong.Description("The team page of a SaaS portal as a ready, self-hosted GraphQL backend."),
		kong.DefaultEnvars("CONVOKE"),
		kong.Vars{"version": version},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "convoke:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}
