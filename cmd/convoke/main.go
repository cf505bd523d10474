// Command convoke is the team page of a SaaS portal as a complete GraphQL backend.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set at release by the linker.
var version = "dev"

// commands is the command line. Every flag can also be set by the environment variable
// CONVOKE_ with the flag's name.
type commands struct {
	Serve   serveCommand     `cmd:"" help:"Serve with your own settings."`
	Demo    demoCommand      `cmd:"" help:"Serve a sample account and show its mails in a mailbox."`
	Migrate migrateCommand   `cmd:"" help:"Bring a database's schema up to date, and exit."`
	Schema  schemaCommand    `cmd:"" help:"Print the GraphQL schema that this program serves."`
	Account accountCommand   `cmd:"" help:"Show and change accounts as the operator, also while a server runs."`
	User    userCommand      `cmd:"" help:"Export and erase a person's data, also while a server runs."`
	Version kong.VersionFlag `help:"Print the version, and exit." env:"-"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	var c commands
	parser := kong.Must(&c,
		kong.Name("convoke"),
		kong.Description("The team page of a SaaS portal as a ready, self-hosted GraphQL backend."),
		kong.DefaultEnvars("CONVOKE"),
		kong.Vars{"version": version},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	k, err := parser.Parse(asksForHelp(os.Args[1:]))
	parser.FatalIfErrorf(err)
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "convoke:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

// asksForHelp makes --help of the ways in which people ask for help first: the bare
// command, and "help" before a command or alone.
func asksForHelp(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}
