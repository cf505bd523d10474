//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockBeside locks a file beside the database. It fails with errClaimed when another process
// has locked it.
func lockBeside(path string) (*os.File, error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, errors.Join(errClaimed, f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}
