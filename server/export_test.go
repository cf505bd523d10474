package server

import "github.com/convoke-dev/convoke/internal/limit"

// Gate returns the gate for operations.
func (s *Server) Gate() *limit.Gate { return s.gate }

// SetGate replaces the gate for operations, before the first one.
func (s *Server) SetGate(g *limit.Gate) { s.gate = g }

// Places returns how many streams are counted.
func (s *Server) Places() int { return s.places.Taken() }

// StopStreams ends all streams, as the stop of the server does.
func (s *Server) StopStreams() (closed <-chan struct{}) { return s.endStreams(0) }
