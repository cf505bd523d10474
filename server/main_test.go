package server_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"

	"github.com/convoke-dev/convoke/internal/testdb"
)

const (
	// storiesAtOnce is how many stories run at once when the command line does not say.
	// Most of the time a story waits for the disk, a timer or a worker, so one
	// story for each core would leave the cores idle.
	storiesAtOnce = "16"
	// postgresAtOnce is the same with PostgreSQL: a server opens up to 20
	// connections, and PostgreSQL usually allows 100.
	postgresAtOnce = "4"
	// garbage is the GOGC of the tests. They hold little memory and make much
	// garbage, and Go's default spends a seventh of the time on collecting it.
	garbage = 400
)

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		atOnce := storiesAtOnce
		if os.Getenv(testdb.PostgresEnv) != "" {
			atOnce = postgresAtOnce
		}
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	// Benchmarks measure memory with Go's default.
	if bench := flag.Lookup("test.bench"); os.Getenv("GOGC") == "" && bench.Value.String() == "" {
		debug.SetGCPercent(garbage)
	}
	os.Exit(m.Run())
}
