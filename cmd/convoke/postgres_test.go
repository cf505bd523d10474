package main_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// cluster is a PostgreSQL of the test's own, which it may restart.
type cluster struct {
	t       *testing.T
	tools   string // the folder of pg_ctl
	data    string
	address string
	options string // of the server
}

// ownPostgres starts a PostgreSQL that is gone with the test.
func ownPostgres(t *testing.T) *cluster {
	t.Helper()
	tools, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(tools) == 0 {
		t.Skip("PostgreSQL's server programs are not installed where Debian has them")
	}
	slices.Sort(tools)
	data, err := os.MkdirTemp("", "convoke-postgres-") //nolint:usetesting // the test's own folder is for its user alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(data); err != nil {
			t.Error(err)
		}
	})
	c := &cluster{t: t, tools: tools[len(tools)-1], data: data}
	if as := c.user(); as != nil {
		if err := os.Chown(data, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	c.run("initdb", "-D", c.data, "-U", "postgres", "--auth=trust", "--no-sync", "--no-instructions")
	c.options = fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=", port)
	c.run("pg_ctl", "-D", c.data, "-w", "-l", filepath.Join(c.data, "log"), "start", "-o", c.options)
	t.Cleanup(func() { c.run("pg_ctl", "-D", c.data, "-w", "-m", "immediate", "stop") })
	c.address = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return c
}

// restart stops the server, as a crash would, and starts it again.
func (c *cluster) restart() { c.run("pg_ctl", "-D", c.data, "-w", "-m", "immediate", "restart") }

// user is who runs the programs: they refuse to run as root.
func (c *cluster) user() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		c.t.Skip("root may not run PostgreSQL, and there is no user for it: ", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		c.t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		c.t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (c *cluster) run(program string, args ...string) {
	c.t.Helper()
	// Not the test's context: it has ended when the server is stopped.
	cmd := exec.CommandContext(context.Background(), filepath.Join(c.tools, program), args...)
	cmd.Dir, cmd.SysProcAttr = c.data, &syscall.SysProcAttr{Credential: c.user()}
	// A file, since the server keeps what pg_ctl writes to.
	said, err := os.CreateTemp(c.t.TempDir(), program)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = said.Close() }()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		c.t.Errorf("%s: %v\n%s", program, err, text)
	}
}
