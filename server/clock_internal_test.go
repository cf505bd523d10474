package server

import (
	"testing"
	"time"
)

func TestTheClockNeverGoesBack(t *testing.T) {
	t.Parallel()
	noon := time.Date(2030, 1, 7, 12, 0, 0, 0, time.UTC)
	system := noon
	now := Clock(func() time.Time { return system })
	for _, step := range []struct {
		what        string
		moves, want time.Duration // of the system's clock, and where this clock is then, from noon
	}{
		{"it begins with the system's", 0, 0},
		{"it goes with it", time.Minute, time.Minute},
		{"HARD-12 it follows a jump forward", time.Hour, 61 * time.Minute},
		{"HARD-12 it stays where it is after a jump back", -time.Hour, 61 * time.Minute},
		{"HARD-12 it runs at half speed then", 20 * time.Minute, 71 * time.Minute},
		{"HARD-12 another jump back changes nothing", -time.Minute, 71 * time.Minute},
		{"HARD-12 until it is caught up with", 2 * time.Hour, 140 * time.Minute},
		{"it goes with it again", time.Minute, 141 * time.Minute},
		{"HARD-12 it follows a clock that was wrong by years", -365 * 24 * time.Hour, 141*time.Minute - 365*24*time.Hour},
	} {
		system = system.Add(step.moves)
		if got := now().Sub(noon); got != step.want {
			t.Errorf("%s: got %v after noon, want %v", step.what, got, step.want)
		}
	}
}

func TestTheClockIsTheSystems(t *testing.T) {
	t.Parallel()
	now, before := Clock(time.Now), time.Now().UTC().Truncate(time.Microsecond)
	for range 10_000 {
		at := now()
		if after := time.Now(); at.Before(before) || at.After(after) {
			t.Fatalf("got %v, want a time from %v to %v", at, before, after)
		}
		before = at
	}
}
