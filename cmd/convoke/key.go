package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/convoke-dev/convoke/internal/token"
)

// secretKeys returns the given keys, or the key in the file when none is given. A missing
// file is created with a new key, readable by its owner only.
func secretKeys(given []string, file string) ([][]byte, error) {
	if len(given) == 0 {
		kept, err := keptKey(file)
		if err != nil {
			return nil, err
		}
		given = []string{kept}
	}
	keys := make([][]byte, len(given))
	for i, k := range given {
		if len(k) < token.MinKeyBytes {
			return nil, fmt.Errorf("the secret key has %d characters; give at least %d, such as the output of: openssl rand -base64 32", len(k), token.MinKeyBytes)
		}
		keys[i] = []byte(k)
	}
	return keys, nil
}

func keptKey(file string) (string, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator's own path
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the secret key: %w", err)
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	key := base64.StdEncoding.EncodeToString(b[:])
	// Write a temporary file and rename it, so that a crash leaves no incomplete key.
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("store a new secret key: %w", err)
	}
	_, err = f.WriteString(key + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("store a new secret key: %w", err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return "", fmt.Errorf("store a new secret key: %w", err)
	}
	return key, nil
}
