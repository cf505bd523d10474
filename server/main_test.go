package server_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

const (
	// storiesAtOnce is how many stories run at once when the command line does not say.
	// Most of the time a story waits for the disk, a timer or a worker, so one
	// story for each core would leave the cores idle.
	storiesAtOnce = "8"
	// garbage is the GOGC of the tests. They hold little memory and make much
	// garbage, and Go's default spends a seventh of the time on collecting it.
	garbage = 400
)

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		if err := flag.Set("test.parallel", storiesAtOnce); err != nil {
			panic(err)
		}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	os.Exit(m.Run())
}
