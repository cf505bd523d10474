package store

import (
	"errors"
	"os"
	"syscall"
)

const (
	// setOpenFileLock is F_OFD_SETLK of Linux: a lock that belongs to an open file and not to
	// a process, and does not wait.
	setOpenFileLock = 37
	// claimedByte is the byte that is locked. It lies beyond the largest SQLite database, and
	// beyond the bytes that SQLite locks.
	claimedByte = 1 << 62
)

// lockFile locks the database itself, so that every path to it finds the lock: symbolic and
// hard links, and mounts. Where the file system has no such locks, it locks a file beside
// the database.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator's own path
	if err != nil {
		return nil, err
	}
	err = syscall.FcntlFlock(f.Fd(), setOpenFileLock, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: claimedByte, Len: 1})
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EACCES):
		return nil, errors.Join(errClaimed, f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return lockBeside(path)
}
